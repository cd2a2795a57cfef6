// A file system that is a folder below, but for what was not synced: a power cut takes that.
#pragma once

#include <string>

#include "unsynced.h"

namespace lossy {

// Mounts it, prints "ready", and serves until it is unmounted, or this process is told to end.
// Returns an exit code. `bytes_most`: see Unsynced.
int serve(const std::string& below, const std::string& mountpoint, std::size_t bytes_most);

// Has the one that is mounted there lose its power. Throws std::system_error: EBUSY, as long as
// somebody has a file of it open.
Loss cut(const std::string& mountpoint, Lose how, std::uint64_t seed);

}  // namespace lossy
