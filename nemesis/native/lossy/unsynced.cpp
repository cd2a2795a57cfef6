#include "unsynced.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace lossy {
namespace {

// What a disk writes in one piece.
constexpr off_t kSector = 512;

struct stat look(int file) {
    struct stat found {};
    if (fstat(file, &found) < 0) throw std::system_error(errno, std::generic_category());
    return found;
}

std::string read(int file, off_t at, off_t bytes) {
    std::string found(static_cast<std::size_t>(std::max<off_t>(0, bytes)), '\0');
    std::size_t done = 0;
    while (done < found.size()) {
        const auto got = pread(file, found.data() + done, found.size() - done,
                               at + static_cast<off_t>(done));
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    found.resize(done);
    return found;
}

void put(int file, std::string_view bytes, off_t at) {
    while (!bytes.empty()) {
        const auto done = pwrite(file, bytes.data(), bytes.size(), at);
        if (done < 0) throw std::system_error(errno, std::generic_category());
        bytes.remove_prefix(static_cast<std::size_t>(done));
        at += done;
    }
}

void end_at(int file, off_t size) {
    if (ftruncate(file, size) < 0) throw std::system_error(errno, std::generic_category());
}

// How many sectors begin within it, and not where it does.
std::uint64_t sectors(off_t at, std::size_t bytes) {
    if (bytes == 0) return 0;
    return static_cast<std::uint64_t>((at + static_cast<off_t>(bytes) - 1) / kSector - at / kSector);
}

// Where the power goes: before a write, or at a sector that begins within it.
class Torn {
public:
    explicit Torn(std::uint64_t place) : place_(place) {}

    // How much there is of the next write. One without bytes, which moves an end, counts as one.
    std::size_t kept(off_t at, std::size_t bytes) {
        if (gone_) return 0;
        const auto within = 1 + sectors(at, bytes);
        if (place_ >= within) {
            place_ -= within;
            return std::max<std::size_t>(1, bytes);
        }
        gone_ = true;
        if (place_ == 0) return 0;
        return static_cast<std::size_t>((at / kSector + static_cast<off_t>(place_)) * kSector - at);
    }

private:
    std::uint64_t place_;
    bool gone_ = false;
};

}  // namespace

Unsynced::~Unsynced() {
    for (const auto& [_, each] : files_) close(each.file);
}

ssize_t Unsynced::write(int file, std::string_view bytes, off_t at) {
    const auto size = look(file).st_size;
    const auto end = std::min(size, at + static_cast<off_t>(bytes.size()));
    auto was = read(file, at, end - at);
    const auto done = pwrite(file, bytes.data(), bytes.size(), at);
    if (done < 0) return -errno;
    const auto is = bytes.substr(0, static_cast<std::size_t>(done));
    was.resize(std::min(was.size(), is.size()));
    keep(file, {Kind::write, at, size, std::move(was), std::string(is)});
    return done;
}

int Unsynced::resize(int file, off_t size) {
    const auto before = look(file).st_size;
    auto was = read(file, size, before - size);
    was.resize(was.find_last_not_of('\0') + 1);  // where a file is made longer, there are zeros
    if (ftruncate(file, size) < 0) return -errno;
    if (size == before) return 0;
    keep(file, {Kind::resize, size, before, std::move(was), {}});
    return 0;
}

int Unsynced::allocate(int file, int how, off_t at, off_t bytes) {
    if ((how & ~FALLOC_FL_KEEP_SIZE) != 0) return -EOPNOTSUPP;
    const auto before = look(file).st_size;
    if (fallocate(file, how, at, bytes) < 0) return -errno;
    if (how == 0 && at + bytes > before) keep(file, {Kind::allocate, at + bytes, before, {}, {}});
    return 0;
}

void Unsynced::sync(int file) {
    const auto found = look(file);
    if (const auto which = files_.find({found.st_dev, found.st_ino}); which != files_.end())
        forget(which);
}

void Unsynced::forget_the_nameless() {
    for (auto each = files_.begin(); each != files_.end();)
        each = look(each->second.file).st_nlink == 0 ? forget(each) : std::next(each);
}

void Unsynced::keep(int file, Change change) {
    const auto found = look(file);
    const auto [which, is_new] = files_.try_emplace({found.st_dev, found.st_ino});
    auto& into = which->second;
    if (is_new) {
        into.file = fcntl(file, F_DUPFD_CLOEXEC, 0);
        into.turn = turns_++;
    }
    const auto bytes = sizeof(Change) + change.was.size() + change.is.size();
    into.changes.push_back(std::move(change));
    into.bytes += bytes;
    bytes_ += bytes;
    if (into.file < 0 || bytes_ > bytes_most_) forget(which);
}

Unsynced::Files::iterator Unsynced::forget(Files::iterator which) {
    bytes_ -= which->second.bytes;
    if (which->second.file >= 0) close(which->second.file);
    return files_.erase(which);
}

Loss Unsynced::cut(Lose how, std::uint64_t seed) {
    // The numbers of inodes are another machine's luck.
    std::vector<const File*> in_turn;
    for (const auto& [_, each] : files_) in_turn.push_back(&each);
    std::sort(in_turn.begin(), in_turn.end(),
              [](const File* one, const File* other) { return one->turn < other->turn; });
    std::mt19937_64 random(seed);
    Loss loss;
    for (const auto* each : in_turn) cut(*each, how, random, loss);
    while (!files_.empty()) forget(files_.begin());
    return loss;
}

void Unsynced::cut(const File& file, Lose how, std::mt19937_64& random, Loss& loss) {
    const auto& changes = file.changes;
    for (auto each = changes.rbegin(); each != changes.rend(); ++each) {
        end_at(file.file, each->size_before);
        put(file.file, each->was, each->at);
    }
    std::uint64_t places = 0;
    for (const auto& each : changes) places += 1 + sectors(each.at, each.is.size());
    Torn torn(std::uniform_int_distribution<std::uint64_t>(0, places - 1)(random));
    bool as_it_was = true;
    for (const auto& each : changes) {
        const auto whole = std::max<std::size_t>(1, each.is.size());
        std::size_t kept = 0;
        if (how == Lose::torn) kept = torn.kept(each.at, each.is.size());
        if (how == Lose::some && std::bernoulli_distribution(0.5)(random)) kept = whole;
        if (kept > 0) do_again(file.file, each, kept);
        if (kept == whole) {
            loss.kept += each.is.size();
        } else {
            as_it_was = false;
            loss.writes += 1;
            loss.kept += kept;
            loss.bytes += each.is.size() - kept;
        }
    }
    loss.files += as_it_was ? 0 : 1;
}

void Unsynced::do_again(int file, const Change& change, std::size_t bytes) {
    if (change.kind == Kind::write)
        put(file, std::string_view(change.is).substr(0, bytes), change.at);
    else if (change.kind == Kind::resize || look(file).st_size < change.at)
        end_at(file, change.at);
}

}  // namespace lossy
