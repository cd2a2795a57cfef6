#include "keep.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <vector>

namespace disk {
namespace {

namespace fs = std::filesystem;

// What a disk writes in one piece.
constexpr std::size_t kSector = 512;
constexpr std::size_t kPiece = 1 << 20;

class File {
public:
    File(const std::string& path, int how) : path_(path), file_(open(path.c_str(), how, 0644)) {
        if (file_ < 0) fail();
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { close(file_); }

    std::uint64_t size() const {
        struct stat found {};
        if (fstat(file_, &found) < 0) fail();
        return static_cast<std::uint64_t>(found.st_size);
    }

    // What lies behind the end is zero.
    void read(std::vector<char>& into, std::uint64_t at) const {
        std::size_t done = 0;
        while (done < into.size()) {
            const auto got = pread(file_, into.data() + done, into.size() - done,
                                   static_cast<off_t>(at + done));
            if (got < 0) fail();
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        std::fill(into.begin() + static_cast<std::ptrdiff_t>(done), into.end(), 0);
    }

    void write(const char* from, std::size_t bytes, std::uint64_t at) const {
        if (pwrite(file_, from, bytes, static_cast<off_t>(at)) != static_cast<ssize_t>(bytes)) fail();
    }

    void resize(std::uint64_t size) const {
        if (ftruncate(file_, static_cast<off_t>(size)) < 0) fail();
    }

    void sync() const {
        if (fsync(file_) < 0) fail();
    }

private:
    [[noreturn]] void fail() const {
        throw std::runtime_error(path_ + ": " + std::strerror(errno));
    }

    std::string path_;
    int file_;
};

ino_t inode(const fs::path& path) {
    struct stat found {};
    return stat(path.c_str(), &found) < 0 ? 0 : found.st_ino;
}

// The sectors in which two files differ, by where they begin.
std::vector<std::uint64_t> differing(const File& was, const File& now) {
    std::vector<std::uint64_t> found;
    std::vector<char> one(kPiece), other(kPiece);
    const auto size = was.size();
    for (std::uint64_t at = 0; at < size; at += kPiece) {
        was.read(one, at);
        now.read(other, at);
        if (one == other && at + kPiece <= now.size()) continue;
        for (std::size_t in = 0; in < kPiece && at + in < size; in += kSector) {
            const bool same = std::memcmp(one.data() + in, other.data() + in, kSector) == 0;
            const bool behind_end = std::min(at + in + kSector, size) > now.size();
            if (!same || behind_end) found.push_back(at + in);
        }
    }
    return found;
}

class Keeper {
public:
    Keeper(bool torn, std::uint64_t seed) : torn_(torn), random_(seed) {}

    void file(const fs::path& was, const fs::path& now) {
        const File from(was, O_RDONLY | O_CLOEXEC);
        const File into(now, O_RDWR | O_CLOEXEC);
        auto sectors = differing(from, into);
        if (sectors.empty()) return;
        sectors.resize(drawn(sectors.size()));
        std::vector<char> sector(kSector);
        auto end = into.size();
        for (const auto at : sectors) {
            from.read(sector, at);
            const auto bytes = std::min<std::uint64_t>(kSector, from.size() - at);
            into.write(sector.data(), bytes, at);
            kept_.bytes += bytes;
            end = std::max(end, at + bytes);
        }
        into.resize(end);
        into.sync();
        kept_.files += sectors.empty() ? 0 : 1;
    }

    // One whose name was lost as well. The name alone may have been saved.
    void fresh_file(const fs::path& was, const fs::path& now) {
        const auto before = kept_.files;
        fs::create_directories(now.parent_path());
        File(now, O_WRONLY | O_CREAT | O_CLOEXEC);
        file(was, now);
        if (!torn_ && kept_.files == before) fs::remove(now);
    }

    Kept kept() const { return kept_; }

private:
    // How many of a file's sectors were written before the power went.
    std::size_t drawn(std::size_t there) {
        if (torn_) return std::uniform_int_distribution<std::size_t>(0, there - 1)(random_);
        return std::bernoulli_distribution(0.5)(random_) ? there : 0;
    }

    bool torn_;
    std::mt19937_64 random_;
    Kept kept_;
};

}  // namespace

Kept keep(bool torn, std::uint64_t seed, const std::string& inodes, const std::string& was,
          const std::string& now) {
    std::map<ino_t, fs::path> there;
    for (const auto& each : fs::recursive_directory_iterator(now))
        if (each.is_regular_file()) there[inode(each.path())] = each.path();
    std::map<fs::path, ino_t> copies;  // by name, so that a seed draws the same
    std::ifstream lines(inodes);
    ino_t number = 0;
    for (std::string path; lines >> number && std::getline(lines >> std::ws, path);)
        copies[path] = number;
    Keeper keeper(torn, seed);
    for (const auto& [path, was_number] : copies) {
        const auto place = fs::path(now) / path;
        const auto same = there.find(was_number);
        const auto copy = fs::path(was) / path;
        if (same == there.end() && !fs::exists(place))
            keeper.fresh_file(copy, place);
        else if (same != there.end() && same->second == place)
            keeper.file(copy, place);
    }
    return keeper.kept();
}

}  // namespace disk
