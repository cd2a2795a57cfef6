// A set of 64-bit hashes, for whoever can bear that two things are taken for one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace partita::search {

class Hashes {
  public:
    Hashes() : table_(1024) {}

    // Adds one; false if it was there. There must be room.
    bool add(std::uint64_t hash) {
        hash += hash == 0;
        auto* entry = find(hash);
        if (*entry == hash) return false;
        *entry = hash;
        ++count_;
        return true;
    }

    bool is_full() const { return 4 * count_ >= 3 * table_.size(); }
    std::size_t bytes() const { return table_.size() * sizeof(std::uint64_t); }

    void grow() {
        auto old = std::move(table_);
        table_.assign(2 * old.size(), 0);
        for (auto hash : old) {
            if (hash != 0) *find(hash) = hash;
        }
    }

    static std::uint64_t mixed(std::uint64_t bits) {
        bits += 0x9e3779b97f4a7c15u;
        bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
        bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
        return bits ^ bits >> 31;
    }

  private:
    std::uint64_t* find(std::uint64_t hash) {
        const auto mask = table_.size() - 1;
        auto at = hash & mask;
        while (table_[at] != 0 && table_[at] != hash) at = (at + 1) & mask;
        return &table_[at];
    }

    std::vector<std::uint64_t> table_;  // 0: nothing.
    std::size_t count_ = 0;
};

}  // namespace partita::search
