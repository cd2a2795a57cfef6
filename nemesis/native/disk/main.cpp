// partita-disk: takes the power from a mounted file system, and gives back a part of what is lost.
//
//   partita-disk cut MOUNTPOINT
//   partita-disk keep some|torn SEED INODES COPY FOLDER      (see keep.h)
//
// From now on it writes nothing more, not even its journal: what was not on the disk is lost, as
// if the machine had lost its power. It fails all that is asked of it until it is mounted again. For
// ext4, and for others that have the same call (f2fs and xfs have).
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "keep.h"

namespace {

// As the kernel has them (ext4.h, which is not among its public headers).
constexpr unsigned long kShutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t kWithoutJournal = 2;

int cut(const char* path) {
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        std::fprintf(stderr, "partita-disk: %s: %s\n", path, std::strerror(errno));
        return 1;
    }
    std::uint32_t how = kWithoutJournal;
    const int status = ioctl(folder, kShutdown, &how);
    if (status < 0)
        std::fprintf(stderr, "partita-disk: %s cannot be cut off: %s\n", path, std::strerror(errno));
    close(folder);
    return status < 0 ? 1 : 0;
}

// Prints how many files, and how many bytes, were not lost after all.
int keep(char** words) {
    try {
        const bool torn = std::string(words[0]) == "torn";
        const auto kept =
            disk::keep(torn, std::strtoull(words[1], nullptr, 10), words[2], words[3], words[4]);
        std::printf("%llu %llu\n", static_cast<unsigned long long>(kept.files),
                    static_cast<unsigned long long>(kept.bytes));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "partita-disk: %s\n", error.what());
        return 1;
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        std::puts("partita-disk 2");
        return 0;
    }
    if (argc == 3 && std::strcmp(argv[1], "cut") == 0) return cut(argv[2]);
    if (argc == 7 && std::strcmp(argv[1], "keep") == 0) return keep(argv + 2);
    std::fprintf(stderr, "partita-disk: usage: partita-disk cut MOUNTPOINT, or "
                         "keep some|torn SEED INODES COPY FOLDER\n");
    return 2;
}
