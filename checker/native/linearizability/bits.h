// A set of pending operations: one bit for each slot.

#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace partita::search {

template <int Words>
struct Bits {
    std::array<std::uint64_t, Words> words{};

    static Bits of(int slot) {
        Bits bits;
        bits.words[slot >> 6] = std::uint64_t{1} << (slot & 63);
        return bits;
    }
    bool has(int slot) const { return words[slot >> 6] >> (slot & 63) & 1; }
    void set(int slot) { words[slot >> 6] |= std::uint64_t{1} << (slot & 63); }
    void reset(int slot) { words[slot >> 6] &= ~(std::uint64_t{1} << (slot & 63)); }
    bool any() const {
        std::uint64_t all = 0;
        for (auto word : words) all |= word;
        return all != 0;
    }
    int count() const {
        int bits = 0;
        for (auto word : words) bits += std::popcount(word);
        return bits;
    }
    // Whether every bit of this set is one of the other's.
    bool within(const Bits& other) const {
        std::uint64_t outside = 0;
        for (int i = 0; i < Words; ++i) outside |= words[i] & ~other.words[i];
        return outside == 0;
    }
    Bits operator&(const Bits& other) const {
        Bits bits;
        for (int i = 0; i < Words; ++i) bits.words[i] = words[i] & other.words[i];
        return bits;
    }
    Bits operator|(const Bits& other) const {
        Bits bits;
        for (int i = 0; i < Words; ++i) bits.words[i] = words[i] | other.words[i];
        return bits;
    }
    Bits without(const Bits& other) const {
        Bits bits;
        for (int i = 0; i < Words; ++i) bits.words[i] = words[i] & ~other.words[i];
        return bits;
    }
    bool operator==(const Bits&) const = default;

    template <class Visit>
    void each(Visit visit) const {
        for (int i = 0; i < Words; ++i) {
            for (auto rest = words[i]; rest != 0; rest &= rest - 1) {
                visit(i * 64 + std::countr_zero(rest));
            }
        }
    }
};

}  // namespace partita::search
