// What is written into a process: code that tells another time, and what it tells.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace clocks {

constexpr std::size_t kEntries = 3;
constexpr std::array<const char*, kEntries> kNames = {"__vdso_clock_gettime", "__vdso_gettimeofday",
                                                      "__vdso_time"};
constexpr std::size_t kJump = 5;  // the bytes of an entry that a jump to our code takes

// Stands ahead of the code. All times are in nanoseconds, origins are true times. The code reads
// the first six after the mark.
struct Shifts {
    std::array<char, 8> mark;
    std::int64_t constant;       // the sum of jump and skew
    std::int64_t strobe;         // added in every other half of a period
    std::int64_t half;           // of the strobe's period; 0: it has none
    std::int64_t strobe_origin;  // it is on in the half that begins here
    std::int64_t rate;           // what it gains in a second, as 2^32 parts of one
    std::int64_t rate_origin;
    std::int64_t jump;
    std::int64_t skew;
    std::array<std::array<unsigned char, 8>, kEntries> saved;  // how the entries began

    // By how much the clock is off at a true time: what the code does, said again.
    std::int64_t at(std::int64_t moment) const {
        std::int64_t off = jump + skew;
        if (half != 0 && (moment - strobe_origin) / half % 2 == 0) off += strobe;
        const auto gained = static_cast<__int128>(moment - rate_origin) * rate;
        return off + static_cast<std::int64_t>(gained >> 32);
    }

    bool none() const { return jump == 0 && skew == 0 && strobe == 0 && rate == 0; }
};

// The whole of it, as it is to be written: `Shifts` and the code.
std::span<const unsigned char> hook();

// Where in it the code of each of `kNames` begins. Empty where this was not built for x86-64.
std::span<const std::size_t> hook_entries();

}  // namespace clocks
