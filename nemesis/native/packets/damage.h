// What is wrong with a packet that got damaged on its way. Pure: bytes in, bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace packets {

// Flips one bit of what a packet of TCP or UDP carries; returns whether there was anything to flip.
// The packet begins with its IP header and is whole. With `fits`, its checksum is made to fit what
// it carries now, so that whoever gets it takes it for what was sent. Without, the checksum is
// that of what was sent, so that the kernel that gets it throws it away.
bool damage(std::uint8_t* packet, std::size_t bytes, bool fits, std::mt19937_64& random);

}  // namespace packets
