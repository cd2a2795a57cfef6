// partita-disk: takes the power from a mounted file system.
//
//   partita-disk cut MOUNTPOINT
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
#include <cstring>

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

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        std::puts("partita-disk 1");
        return 0;
    }
    if (argc == 3 && std::strcmp(argv[1], "cut") == 0) return cut(argv[2]);
    std::fprintf(stderr, "partita-disk: usage: partita-disk cut MOUNTPOINT\n");
    return 2;
}
