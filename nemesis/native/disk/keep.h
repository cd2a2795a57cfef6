// Gives a disk back a part of what a power cut took.
#pragma once

#include <cstdint>
#include <string>

namespace disk {

struct Kept {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
};

// `was` is a copy of the folder from before the cut, `now` the folder as the cut left it, and
// `inodes` says which file each of the copy was: lines with a number and a path. All of a file
// that was changed but not synced is kept, or nothing (`torn`: its first sectors), as drawn.
//
// What is kept had been written. The order in which a disk does that is its own, so it might as
// well have been there when the power went. A name that was not synced stays as it was if it
// named another file before: no file can be there under its old name and its new one.
Kept keep(bool torn, std::uint64_t seed, const std::string& inodes, const std::string& was,
          const std::string& now);

}  // namespace disk
