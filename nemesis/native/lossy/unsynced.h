// Writes to files, and keeps of each file what was not synced yet, so that it can be taken back.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lossy {

// What of it a power cut takes. `some`: each write is lost or not, as drawn; the disk has its own
// order. `torn`: of each file all but the first writes, of which the last one ends at a sector.
enum class Lose : std::uint32_t { all, some, torn };

struct Loss {
    std::uint64_t files = 0;   // of which something is lost
    std::uint64_t writes = 0;  // that are lost, or a part of them
    std::uint64_t bytes = 0;   // of these writes
    std::uint64_t kept = 0;    // bytes that were not synced either, and are there all the same
};

// A write is in its file at once. What is kept are the bytes that were there before. A file that has
// no name any more is of no interest: nobody finds it after a power cut. All calls come from one
// thread. Those that can fail return what they did, or -errno.
class Unsynced {
public:
    // If there is more to be kept than this, the file counts as synced. A kernel that has much to
    // write does not wait until it is told to, either.
    explicit Unsynced(std::size_t bytes_most) : bytes_most_(bytes_most) {}
    Unsynced(const Unsynced&) = delete;
    Unsynced& operator=(const Unsynced&) = delete;
    ~Unsynced();

    // Files must be open for reading too.
    ssize_t write(int file, std::string_view bytes, off_t at);
    int resize(int file, off_t size);
    int allocate(int file, int how, off_t at, off_t bytes);
    void sync(int file);
    // To be called after a name was taken away.
    void forget_the_nameless();

    // The same calls with the same seed lose the same. Throws std::system_error.
    Loss cut(Lose how, std::uint64_t seed);

private:
    enum class Kind { write, resize, allocate };
    struct Change {
        Kind kind;
        off_t at;  // where it is written, or where the file ends from now on
        off_t size_before;
        std::string was, is;  // the bytes that it replaced or cut off, those that were written
    };
    struct File {
        int file = -1;  // our own, so that its inode's number stays its own
        std::uint64_t turn = 0;
        std::size_t bytes = 0;
        std::vector<Change> changes;
    };
    using Files = std::map<std::pair<dev_t, ino_t>, File>;

    void keep(int file, Change change);
    Files::iterator forget(Files::iterator which);
    static void cut(const File& file, Lose how, std::mt19937_64& random, Loss& loss);
    static void do_again(int file, const Change& change, std::size_t bytes);

    std::size_t bytes_most_;
    std::size_t bytes_ = 0;
    std::uint64_t turns_ = 0;
    Files files_;
};

}  // namespace lossy
