// How often each kind of crashed operation has been used, as numbers of shared multisets.

#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace partita::search {

// Multisets of kinds, each stored once. Number 0 is the empty one.
class UsageTable {
  public:
    using Counts = std::vector<std::pair<std::int32_t, std::int32_t>>;  // Sorted by kind.

    UsageTable() { clear(); }

    void clear() {
        sets_.assign(1, {});
        totals_.assign(1, 0);
        numbers_.clear();
        steps_.clear();
    }

    std::size_t size() const { return sets_.size(); }
    const Counts& counts(std::uint32_t number) const { return sets_[number]; }
    std::int32_t total(std::uint32_t number) const { return totals_[number]; }

    std::int32_t count(std::uint32_t number, std::int32_t kind) const {
        for (auto [each, count] : sets_[number]) {
            if (each == kind) return count;
        }
        return 0;
    }

    std::uint32_t with(std::uint32_t number, std::int32_t kind) {
        auto key = std::uint64_t{number} << 32 | static_cast<std::uint32_t>(kind);
        auto [at, is_new] = steps_.try_emplace(key, 0);
        if (!is_new) return at->second;
        auto counts = sets_[number];
        auto place = counts.begin();
        while (place != counts.end() && place->first < kind) ++place;
        if (place != counts.end() && place->first == kind) {
            ++place->second;
        } else {
            counts.insert(place, {kind, 1});
        }
        auto result = intern(std::move(counts));
        steps_[key] = result;
        return result;
    }

    std::uint32_t intern(Counts counts) {
        std::uint64_t hash = 14695981039346656037u;
        std::int32_t total = 0;
        for (auto [kind, count] : counts) {
            hash = (hash ^ static_cast<std::uint64_t>(kind)) * 1099511628211u;
            hash = (hash ^ static_cast<std::uint64_t>(count)) * 1099511628211u;
            total += count;
        }
        auto [first, last] = numbers_.equal_range(hash);
        for (; first != last; ++first) {
            if (sets_[first->second] == counts) return first->second;
        }
        auto number = static_cast<std::uint32_t>(sets_.size());
        numbers_.emplace(hash, number);
        bytes_ += counts.size() * sizeof(counts[0]) + 120;
        sets_.push_back(std::move(counts));
        totals_.push_back(total);
        return number;
    }

    // Whether the first uses nothing more often than the second.
    bool within(std::uint32_t first, std::uint32_t second) const {
        if (first == second || first == 0) return true;
        if (second == 0 || totals_[first] > totals_[second]) return false;
        const auto& small = sets_[first];
        const auto& large = sets_[second];
        auto at = large.begin();
        for (auto [kind, count] : small) {
            while (at != large.end() && at->first < kind) ++at;
            if (at == large.end() || at->first != kind || at->second < count) return false;
        }
        return true;
    }

    std::size_t bytes() const { return bytes_; }

  private:
    std::vector<Counts> sets_;
    std::vector<std::int32_t> totals_;
    std::unordered_multimap<std::uint64_t, std::uint32_t> numbers_;
    std::unordered_map<std::uint64_t, std::uint32_t> steps_;
    std::size_t bytes_ = 0;
};

}  // namespace partita::search
