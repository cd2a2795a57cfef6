// A set of hashes of 128 bits: so many that no two things will ever be taken for one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace partita::search {

struct Hash {
    std::uint64_t one = 0, other = 0;

    bool operator==(const Hash&) const = default;
    Hash operator^(const Hash& more) const { return {one ^ more.one, other ^ more.other}; }

    static Hash of(std::uint64_t bits) {
        return {mixed(bits + 0x9e3779b97f4a7c15u), mixed(bits ^ 0xd1b54a32d192ed03u)};
    }

  private:
    static std::uint64_t mixed(std::uint64_t bits) {
        bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
        bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
        return bits ^ bits >> 31;
    }
};

class Hashes {
  public:
    Hashes() : table_(1024) {}

    // Adds one; false if it was there. There must be room.
    bool add(Hash hash) {
        if (hash == Hash{}) hash.one = 1;
        auto* entry = find(hash);
        if (*entry == hash) return false;
        *entry = hash;
        ++count_;
        return true;
    }

    bool is_full() const { return 4 * count_ >= 3 * table_.size(); }
    std::size_t bytes() const { return table_.size() * sizeof(Hash); }

    void grow() {
        auto old = std::move(table_);
        table_.assign(2 * old.size(), {});
        for (const auto& hash : old) {
            if (!(hash == Hash{})) *find(hash) = hash;
        }
    }

  private:
    Hash* find(const Hash& hash) {
        const auto mask = table_.size() - 1;
        auto at = hash.one & mask;
        while (!(table_[at] == Hash{}) && !(table_[at] == hash)) at = (at + 1) & mask;
        return &table_[at];
    }

    std::vector<Hash> table_;  // Zeros: nothing.
    std::size_t count_ = 0;
};

}  // namespace partita::search
