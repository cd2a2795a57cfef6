#include "process.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace clocks {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(10);
constexpr std::size_t kStack = 4096;  // of a thread, in which an interrupted one is looked for

fs::path in_proc(pid_t pid, const char* file) { return fs::path("/proc") / std::to_string(pid) / file; }

std::vector<pid_t> numbered(const fs::path& folder) {
    std::vector<pid_t> found;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        const auto name = at->path().filename().string();
        if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos)
            found.push_back(static_cast<pid_t>(std::stol(name)));
    }
    return found;
}

// The letter of its state, 'X' if it is gone.
char state_of(const fs::path& task) {
    std::ifstream file(task / "stat");
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(") ");
    return name_end == std::string::npos ? 'X' : line[name_end + 2];
}

bool is_below(const fs::path& path, const std::string& folder) {
    const std::string text = path.string();
    return !folder.empty() && text.starts_with(folder) &&
           (text.size() == folder.size() || text[folder.size()] == '/');
}

bool has_open_below(pid_t pid, const std::string& folder) {
    std::error_code error;
    for (fs::directory_iterator at(in_proc(pid, "fd"), error), end; !error && at != end;
         at.increment(error)) {
        std::error_code gone;
        if (is_below(fs::read_symlink(at->path(), gone), folder)) return true;
    }
    return false;
}

// Stops all threads of a process for as long as it lives, but for one that was stopped before.
class Stopped {
public:
    explicit Stopped(pid_t pid) : pid_(pid), before_(state_of(in_proc(pid, "")) == 'T') {
        if (!before_ && kill(pid_, SIGSTOP) != 0) throw std::runtime_error("it cannot be stopped");
        // Who waits in the kernel (D), or for its tracer (t), is stopped before it goes on.
        const auto limit = steady_clock::now() + milliseconds(1000);
        while (!all_in("TtDXZ") && steady_clock::now() < limit)
            std::this_thread::sleep_for(milliseconds(1));
    }
    ~Stopped() {
        if (!before_) kill(pid_, SIGCONT);
    }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;

    std::vector<pid_t> threads() const { return numbered(in_proc(pid_, "task")); }

private:
    bool all_in(const char* states) const {
        const auto all = threads();
        return std::all_of(all.begin(), all.end(), [&](pid_t thread) {
            const auto task = in_proc(pid_, "task") / std::to_string(thread);
            return std::strchr(states, state_of(task)) != nullptr;
        });
    }

    pid_t pid_;
    bool before_;
};

}  // namespace

std::vector<pid_t> processes(const std::string& home, const std::string& data) {
    std::vector<pid_t> found;
    for (const pid_t pid : numbered("/proc")) {
        std::error_code gone;
        const bool all = home.empty() && data.empty();
        if (pid != getpid() && lives(pid) &&
            (all || is_below(fs::read_symlink(in_proc(pid, "cwd"), gone), home) ||
             (!data.empty() && has_open_below(pid, data))))
            found.push_back(pid);
    }
    return found;
}

bool lives(pid_t pid) { return std::strchr("XZ", state_of(in_proc(pid, ""))) == nullptr; }

std::string name_of(pid_t pid) {
    std::ifstream file(in_proc(pid, "comm"));
    std::string name;
    std::getline(file, name);
    std::replace(name.begin(), name.end(), ' ', '_');
    return name;
}

Clock::Clock(pid_t pid) : pid_(pid) {
    if (hook_entries().empty()) {
        utsname machine{};
        uname(&machine);
        throw std::runtime_error(std::string("not available on ") + machine.machine + " yet");
    }
    find();
    memory_ = open(in_proc(pid_, "mem").c_str(), O_RDWR | O_CLOEXEC);
    if (memory_ < 0) throw std::runtime_error("its memory cannot be written");
    try {
        get(0, image_.data(), image_.size());
        parse();
    } catch (...) {
        close(memory_);
        throw;
    }
}

Clock::~Clock() { close(memory_); }

void Clock::find() {
    std::ifstream maps(in_proc(pid_, "maps"));
    for (std::string line; std::getline(maps, line);) {
        if (!line.ends_with("[vdso]")) continue;
        char dash = 0;
        std::uint64_t to = 0;
        std::istringstream(line) >> std::hex >> from_ >> dash >> to;
        image_.resize(to - from_);
        return;
    }
    throw std::runtime_error("it has no vDSO");
}

// Finds the entries by name, and the room behind everything in the image.
void Clock::parse() {
    const auto at = [&]<typename T>(std::uint64_t offset, T) {
        T value;
        if (offset + sizeof value > image_.size()) throw std::runtime_error("its vDSO is not whole");
        std::memcpy(&value, image_.data() + offset, sizeof value);
        return value;
    };
    const auto header = at(0, Elf64_Ehdr{});
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_machine != EM_X86_64 ||
        header.e_ident[EI_CLASS] != ELFCLASS64)
        throw std::runtime_error("its vDSO is none of x86-64");
    std::uint64_t end = header.e_shoff + std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr);
    for (unsigned number = 0; number < header.e_shnum; ++number) {
        const auto section = at(header.e_shoff + number * sizeof(Elf64_Shdr), Elf64_Shdr{});
        if (section.sh_type != SHT_NOBITS)
            end = std::max({end, section.sh_offset + section.sh_size,
                            section.sh_addr ? section.sh_addr + section.sh_size : 0});
        if (section.sh_type != SHT_DYNSYM) continue;
        const auto names =
            at(header.e_shoff + section.sh_link * sizeof(Elf64_Shdr), Elf64_Shdr{}).sh_offset;
        for (std::uint64_t offset = 0; offset < section.sh_size; offset += sizeof(Elf64_Sym)) {
            const auto symbol = at(section.sh_offset + offset, Elf64_Sym{});
            const auto text = names + symbol.st_name;
            if (text >= image_.size()) continue;
            const auto* name = reinterpret_cast<const char*>(image_.data() + text);
            const std::string found(name, strnlen(name, image_.size() - text));
            for (std::size_t entry = 0; entry < kEntries; ++entry)
                if (found == kNames[entry] && symbol.st_size > kJump) entries_[entry] = symbol.st_value;
        }
    }
    place_ = (end + 63) / 64 * 64;
    if (std::find(entries_.begin(), entries_.end(), 0) != entries_.end())
        throw std::runtime_error("its vDSO has not all functions that tell the time");
    if (place_ + hook().size() > image_.size())
        throw std::runtime_error("its vDSO has no room left");
}

bool Clock::shifted() const {
    std::int32_t distance;
    std::memcpy(&distance, image_.data() + entries_[0] + 1, sizeof distance);
    const auto to = static_cast<std::int64_t>(entries_[0] + kJump) + distance;
    return image_[entries_[0]] == 0xe9 &&
           to == static_cast<std::int64_t>(place_ + hook_entries()[0]);
}

Shifts Clock::shifts() const {
    Shifts found{};
    const auto ours = hook().first(sizeof found.mark);
    if (std::equal(ours.begin(), ours.end(), image_.begin() + static_cast<std::ptrdiff_t>(place_)))
        std::memcpy(&found, image_.data() + place_, sizeof found);
    return found;
}

void Clock::shift(Shifts wanted) {
    if (wanted.none() && !shifted()) return;
    const auto limit = steady_clock::now() + kPatience;
    do {
        {
            const Stopped stopped(pid_);
            const auto threads = stopped.threads();
            if (std::none_of(threads.begin(), threads.end(),
                             [&](pid_t thread) { return inside(thread); })) {
                write(wanted);
                get(0, image_.data(), image_.size());
                return;
            }
        }
        std::this_thread::sleep_for(milliseconds(3));
    } while (steady_clock::now() < limit);
    throw std::runtime_error("one of its threads is always about to ask for the time");
}

// Our code stays when the true time is told again: a thread may be in the middle of it.
void Clock::write(const Shifts& wanted) {
    const auto ours = hook();
    const auto starts = hook_entries();
    Shifts next = wanted;
    std::memcpy(next.mark.data(), ours.data(), next.mark.size());
    next.saved = shifts().saved;
    if (!shifted())
        for (std::size_t entry = 0; entry < kEntries; ++entry)
            std::memcpy(next.saved[entry].data(), image_.data() + entries_[entry], kJump);
    put(place_ + sizeof next, ours.data() + sizeof next, ours.size() - sizeof next);
    put(place_, &next, sizeof next);
    for (std::size_t entry = 0; entry < kEntries; ++entry) {
        std::array<unsigned char, kJump> first{0xe9};
        const auto distance = static_cast<std::int32_t>(static_cast<std::int64_t>(place_ + starts[entry]) -
                                                        static_cast<std::int64_t>(entries_[entry] + kJump));
        std::memcpy(first.data() + 1, &distance, sizeof distance);
        if (next.none()) std::copy_n(next.saved[entry].begin(), kJump, first.begin());
        put(entries_[entry], first.data(), first.size());
    }
}

// Whether a thread stands behind the first of the bytes that are to be written over, or was
// interrupted there by a signal that it still handles. The kernel knows where it stands in
// user mode, once it does not run.
bool Clock::inside(pid_t thread) const {
    const auto task = in_proc(pid_, "task") / std::to_string(thread);
    std::ifstream file(task / "syscall");
    std::vector<std::string> words;
    for (std::string word; file >> word;) words.push_back(word);
    if (words.empty()) return false;  // it has ended
    if (words[0] == "running" || words.size() < 3)
        return std::strchr("XZ", state_of(task)) == nullptr;
    const auto stands = [&](std::uint64_t address) {
        return std::any_of(entries_.begin(), entries_.end(), [&](std::uint64_t entry) {
            return address > from_ + entry && address < from_ + entry + kJump;
        });
    };
    if (stands(std::stoull(words.back(), nullptr, 16))) return true;
    std::array<std::uint64_t, kStack / 8> stack;
    const auto top = std::stoull(words[words.size() - 2], nullptr, 16);
    const auto size = pread(memory_, stack.data(), sizeof stack, static_cast<off_t>(top));
    return std::any_of(stack.begin(), stack.begin() + std::max<ssize_t>(size, 0) / 8, stands);
}

void Clock::get(std::uint64_t offset, void* bytes, std::size_t size) const {
    if (pread(memory_, bytes, size, static_cast<off_t>(from_ + offset)) !=
        static_cast<ssize_t>(size))
        throw std::runtime_error("its memory cannot be read");
}

void Clock::put(std::uint64_t offset, const void* bytes, std::size_t size) {
    if (pwrite(memory_, bytes, size, static_cast<off_t>(from_ + offset)) !=
        static_cast<ssize_t>(size))
        throw std::runtime_error("its memory cannot be written");
}

}  // namespace clocks
