// When a packet may go on: what a slow, late or careless network would make of it. Pure: no clock
// and no packets here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>

namespace packets {

using Nanoseconds = std::uint64_t;

struct Settings {
    double delay_ms = 0;
    double jitter_ms = 0;        // as much more or less, all alike; packets keep their order
    double reorder_percent = 0;  // so many do not wait, and overtake those that do
    double kbit = 0;             // thousands of bits in a second; 0: as fast as they come
    double damage_percent = 0;   // in so many a bit is flipped
    double fits = 0;             // 1: checksums are made to fit what is damaged
    std::uint64_t seed = 1;
};

class Shaper {
public:
    explicit Shaper(const Settings& settings) : settings_(settings), random_(settings.seed) {}

    // The moment at which a packet of so many bytes that came `now` may go on; nothing if it is
    // lost, because more is waiting than a network keeps.
    std::optional<Nanoseconds> due(Nanoseconds now, std::uint32_t bytes) {
        std::optional<Nanoseconds> sent = transmitted(now, bytes);
        if (!sent) return sent;
        if (chance() * 100 < settings_.reorder_percent) return *sent;
        Nanoseconds late = *sent + waiting();
        if (settings_.reorder_percent == 0) late = last_ = std::max(late, last_);
        return late;
    }

private:
    // What waits longer than this to be sent is dropped, as by a switch whose buffer is full.
    static constexpr Nanoseconds kBuffer = 2'000'000'000;

    std::optional<Nanoseconds> transmitted(Nanoseconds now, std::uint32_t bytes) {
        if (settings_.kbit <= 0) return now;
        const auto begins = std::max(free_, now);
        if (begins - now > kBuffer) return std::nullopt;
        free_ = begins + static_cast<Nanoseconds>(bytes * 8e6 / settings_.kbit);
        return free_;
    }

    Nanoseconds waiting() {
        const double ms = settings_.delay_ms + (2 * chance() - 1) * settings_.jitter_ms;
        return static_cast<Nanoseconds>(std::max(0.0, ms) * 1e6);
    }

    double chance() { return std::uniform_real_distribution<double>()(random_); }

    Settings settings_;
    std::mt19937_64 random_;
    Nanoseconds free_ = 0;  // when the last packet will have been sent
    Nanoseconds last_ = 0;  // when the last packet goes on: none overtakes it
};

}  // namespace packets
