#include "folder.h"

#define FUSE_USE_VERSION 35
#include <dirent.h>
#include <fcntl.h>
#include <fuse.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace lossy {
namespace {

// How a power cut is asked for, at the root of what is mounted.
struct Asked {
    Lose how = Lose::all;
    std::uint32_t none = 0;
    std::uint64_t seed = 0;
    Loss loss;
};
constexpr unsigned long kCut = _IOWR('P', 1, Asked);

// What is served. One thread does it all, so nothing needs a lock.
struct Served {
    int root;
    Unsynced unsynced;
    int open_files = 0;
};

Served& served() { return *static_cast<Served*>(fuse_get_context()->private_data); }
int root() { return served().root; }
const char* below(const char* path) { return path[1] == 0 ? "." : path + 1; }
int result(int status) { return status < 0 ? -errno : 0; }
int number(const fuse_file_info* file) { return static_cast<int>(file->fh); }
DIR* folder(const fuse_file_info* file) { return reinterpret_cast<DIR*>(file->fh); }

// What is replaced must be read, and where to write is said each time.
int flags(int asked) {
    const int how = (asked & O_ACCMODE) == O_WRONLY ? O_RDWR : asked & O_ACCMODE;
    return how | (asked & (O_CREAT | O_EXCL)) | O_CLOEXEC | O_NOFOLLOW;
}

// New things belong to whoever asked for them, and not to us.
int owned(int status, const char* path) {
    if (status < 0) return -errno;
    const auto* asking = fuse_get_context();
    return result(fchownat(root(), below(path), asking->uid, asking->gid, AT_SYMLINK_NOFOLLOW));
}

// A file that is open, or one by its name: what is done with it in between.
template <typename Action>
int with_file(const char* path, const fuse_file_info* open_one, Action action) {
    if (open_one != nullptr) return action(number(open_one));
    const int file = openat(root(), below(path), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return -errno;
    const int status = action(file);
    close(file);
    return status;
}

void* begin(fuse_conn_info*, fuse_config* config) {
    config->use_ino = 1;
    config->nullpath_ok = 1;
    config->attr_timeout = 0;  // a power cut moves the ends of files
    std::puts("ready");
    std::fflush(stdout);
    return fuse_get_context()->private_data;
}

int get_attributes(const char* path, struct stat* found, fuse_file_info* file) {
    if (file != nullptr) return result(fstat(number(file), found));
    return result(fstatat(root(), below(path), found, AT_SYMLINK_NOFOLLOW));
}

int read_link(const char* path, char* into, std::size_t bytes) {
    const auto done = readlinkat(root(), below(path), into, bytes - 1);
    if (done < 0) return -errno;
    into[done] = 0;
    return 0;
}

int make_node(const char* path, mode_t mode, dev_t device) {
    return owned(mknodat(root(), below(path), mode, device), path);
}

int make_folder(const char* path, mode_t mode) {
    return owned(mkdirat(root(), below(path), mode), path);
}

int make_link(const char* to, const char* path) {
    return owned(symlinkat(to, root(), below(path)), path);
}

int remove_file(const char* path) {
    const int status = result(unlinkat(root(), below(path), 0));
    served().unsynced.forget_the_nameless();
    return status;
}

int remove_folder(const char* path) { return result(unlinkat(root(), below(path), AT_REMOVEDIR)); }

int rename_one(const char* from, const char* to, unsigned how) {
    const int status = result(renameat2(root(), below(from), root(), below(to), how));
    served().unsynced.forget_the_nameless();
    return status;
}

int link_one(const char* from, const char* to) {
    return result(linkat(root(), below(from), root(), below(to), 0));
}

int change_mode(const char* path, mode_t mode, fuse_file_info* file) {
    if (file != nullptr) return result(fchmod(number(file), mode));
    return result(fchmodat(root(), below(path), mode, 0));
}

int change_owner(const char* path, uid_t user, gid_t group, fuse_file_info* file) {
    if (file != nullptr) return result(fchown(number(file), user, group));
    return result(fchownat(root(), below(path), user, group, AT_SYMLINK_NOFOLLOW));
}

int change_times(const char* path, const timespec* times, fuse_file_info* file) {
    if (file != nullptr) return result(futimens(number(file), times));
    return result(utimensat(root(), below(path), times, AT_SYMLINK_NOFOLLOW));
}

int resize(const char* path, off_t size, fuse_file_info* open_one) {
    auto& unsynced = served().unsynced;
    return with_file(path, open_one, [&](int file) { return unsynced.resize(file, size); });
}

int open_file(const char* path, mode_t mode, fuse_file_info* info) {
    const int file = openat(root(), below(path), flags(info->flags), mode);
    if (file < 0) return -errno;
    const int status = (info->flags & O_TRUNC) != 0 ? served().unsynced.resize(file, 0) : 0;
    if (status < 0) {
        close(file);
        return status;
    }
    info->fh = static_cast<std::uint64_t>(file);
    served().open_files += 1;
    return 0;
}

int open_old(const char* path, fuse_file_info* info) { return open_file(path, 0, info); }

int create(const char* path, mode_t mode, fuse_file_info* info) {
    info->flags |= O_CREAT;
    const int status = open_file(path, mode, info);
    return status < 0 ? status : owned(status, path);
}

int read(const char*, char* into, std::size_t bytes, off_t at, fuse_file_info* info) {
    const auto done = pread(number(info), into, bytes, at);
    return done < 0 ? -errno : static_cast<int>(done);
}

int write(const char*, const char* from, std::size_t bytes, off_t at, fuse_file_info* info) {
    auto& unsynced = served().unsynced;
    const auto done = unsynced.write(number(info), {from, bytes}, at);
    // Here the kernel asks for that as well, by an fsync. It costs nothing not to rely on it.
    if (done > 0 && (info->flags & (O_DSYNC | O_SYNC)) != 0) unsynced.sync(number(info));
    return static_cast<int>(done);
}

int allocate(const char*, int how, off_t at, off_t bytes, fuse_file_info* info) {
    return served().unsynced.allocate(number(info), how, at, bytes);
}

// The folder below need not be synced: only a power cut of ours takes anything away.
int sync(const char*, int, fuse_file_info* info) {
    served().unsynced.sync(number(info));
    return 0;
}

int sync_folder(const char*, int, fuse_file_info*) { return 0; }

int close_file(const char*, fuse_file_info* info) {
    served().open_files -= 1;
    return result(close(number(info)));
}

int file_system(const char*, struct statvfs* found) { return result(fstatvfs(root(), found)); }

int open_folder(const char* path, fuse_file_info* info) {
    const int file = openat(root(), below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const opened = file < 0 ? nullptr : fdopendir(file);
    if (opened == nullptr) return -errno;
    info->fh = reinterpret_cast<std::uint64_t>(opened);
    return 0;
}

int read_folder(const char*, void* into, fuse_fill_dir_t fill, off_t, fuse_file_info* info,
                fuse_readdir_flags) {
    rewinddir(folder(info));
    while (const auto* each = readdir(folder(info))) {
        struct stat found {};
        found.st_ino = each->d_ino;
        found.st_mode = static_cast<mode_t>(DTTOIF(each->d_type));
        fill(into, each->d_name, &found, 0, fuse_fill_dir_flags{});
    }
    return 0;
}

int close_folder(const char*, fuse_file_info* info) { return result(closedir(folder(info))); }

int ask(const char*, unsigned command, void*, fuse_file_info*, unsigned, void* data) {
    if (command != kCut) return -ENOTTY;
    if (fuse_get_context()->uid != 0) return -EPERM;
    if (served().open_files > 0) return -EBUSY;
    auto* const asked = static_cast<Asked*>(data);
    try {
        asked->loss = served().unsynced.cut(asked->how, asked->seed);
        return 0;
    } catch (const std::system_error& error) {
        return -error.code().value();
    }
}

fuse_operations operations() {
    fuse_operations all{};
    all.init = begin;
    all.getattr = get_attributes;
    all.readlink = read_link;
    all.mknod = make_node;
    all.mkdir = make_folder;
    all.symlink = make_link;
    all.unlink = remove_file;
    all.rmdir = remove_folder;
    all.rename = rename_one;
    all.link = link_one;
    all.chmod = change_mode;
    all.chown = change_owner;
    all.utimens = change_times;
    all.truncate = resize;
    all.open = open_old;
    all.create = create;
    all.read = read;
    all.write = write;
    all.fallocate = allocate;
    all.fsync = sync;
    all.fsyncdir = sync_folder;
    all.release = close_file;
    all.statfs = file_system;
    all.opendir = open_folder;
    all.readdir = read_folder;
    all.releasedir = close_folder;
    all.ioctl = ask;
    return all;
}

// Each file that waits to be synced is kept open.
void allow_many_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

}  // namespace

int serve(const std::string& below, const std::string& mountpoint, std::size_t bytes_most) {
    const int root = open(below.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) throw std::system_error(errno, std::generic_category(), below);
    Served what{.root = root, .unsynced = Unsynced(bytes_most)};
    umask(0);
    allow_many_files();
    const char* words[] = {"partita-lossy", "-o",
                           "allow_other,default_permissions,fsname=partita-lossy,subtype=partita"};
    fuse_args arguments = FUSE_ARGS_INIT(3, const_cast<char**>(words));
    const auto all = operations();
    const std::unique_ptr<fuse, decltype(&fuse_destroy)> made(
        fuse_new(&arguments, &all, sizeof all, &what), fuse_destroy);
    fuse_opt_free_args(&arguments);
    // What fails says so itself.
    if (made == nullptr || fuse_mount(made.get(), mountpoint.c_str()) != 0) return 1;
    fuse_set_signal_handlers(fuse_get_session(made.get()));
    if (chdir("/") < 0) return 1;  // not in what somebody may want to unmount
    const int status = fuse_loop(made.get());
    fuse_unmount(made.get());
    close(root);
    return status < 0 ? 1 : 0;
}

Loss cut(const std::string& mountpoint, Lose how, std::uint64_t seed) {
    const int folder = open(mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) throw std::system_error(errno, std::generic_category(), mountpoint);
    Asked asked{.how = how, .seed = seed, .loss = {}};
    const int status = ioctl(folder, kCut, &asked);
    const int why = errno;
    close(folder);
    if (status < 0) throw std::system_error(why, std::generic_category(), mountpoint);
    return asked.loss;
}

}  // namespace lossy
