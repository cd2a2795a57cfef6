#include "processes.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <climits>
#include <filesystem>
#include <string>

namespace calls {
namespace {

namespace fs = std::filesystem;

// What a link in /proc says, empty if it cannot be read: processes end at any time.
std::string link(const std::string& path) {
    char found[PATH_MAX];
    const auto length = readlink(path.c_str(), found, sizeof found);
    return length < 0 ? std::string() : std::string(found, static_cast<std::size_t>(length));
}

bool lies_in(const std::string& path, const std::string& folder) {
    return !folder.empty() && path.starts_with(folder) &&
           (path.size() == folder.size() || path[folder.size()] == '/');
}

std::vector<pid_t> numbers(const std::string& folder) {
    std::vector<pid_t> found;
    std::error_code gone;
    for (fs::directory_iterator at(folder, gone), end; !gone && at != end; at.increment(gone)) {
        const auto name = at->path().filename().string();
        if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); }))
            found.push_back(static_cast<pid_t>(std::stol(name)));
    }
    return found;
}

bool has_open(pid_t process, const std::string& folder) {
    const auto files = "/proc/" + std::to_string(process) + "/fd";
    const auto open = numbers(files);
    return std::any_of(open.begin(), open.end(), [&](long descriptor) {
        return is_below(process, descriptor, folder);
    });
}

}  // namespace

std::vector<pid_t> of_store(const std::string& data, const std::string& home) {
    std::vector<pid_t> found;
    const auto mounts = link("/proc/self/ns/mnt");
    for (const auto process : numbers("/proc")) {
        const auto at = "/proc/" + std::to_string(process);
        if (process == getpid() || link(at + "/ns/mnt") != mounts) continue;
        if (lies_in(link(at + "/cwd"), home) || has_open(process, data)) found.push_back(process);
    }
    return found;
}

std::vector<pid_t> threads_of(pid_t process) {
    return numbers("/proc/" + std::to_string(process) + "/task");
}

bool is_below(pid_t thread, long descriptor, const std::string& folder) {
    const auto file = "/proc/" + std::to_string(thread) + "/fd/" + std::to_string(descriptor);
    return lies_in(link(file), folder);
}

}  // namespace calls
