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

    UsageTable() { keep({}); }

    std::size_t size() const { return sets_.size(); }
    std::int32_t total(std::uint32_t number) const { return sets_[number].total; }

    std::int32_t count(std::uint32_t number, std::int32_t kind) const {
        for (auto [each, count] : sets_[number].counts) {
            if (each == kind) return count;
        }
        return 0;
    }

    // The number of the multiset with one more of a kind.
    std::uint32_t with(std::uint32_t number, std::int32_t kind) {
        Set set = sets_[number];
        auto place = set.counts.begin();
        while (place != set.counts.end() && place->first < kind) ++place;
        if (place != set.counts.end() && place->first == kind) {
            ++place->second;
        } else {
            set.counts.insert(place, {kind, 1});
        }
        ++set.total;
        set.hash += mixed(kind);
        return intern(std::move(set));
    }

    const Counts& counts(std::uint32_t number) const { return sets_[number].counts; }

    // From now on it does not matter how often these kinds are used, only how often all are.
    void ignore(std::vector<bool> kinds) { ignored_ = std::move(kinds); }
    bool ignores() const { return !ignored_.empty(); }

    // Whether the first uses nothing more often than the second.
    bool within(std::uint32_t first, std::uint32_t second) const {
        if (first == second || first == 0) return true;
        if (sets_[first].total > sets_[second].total) return false;
        auto at = sets_[second].counts.begin();
        const auto end = sets_[second].counts.end();
        for (auto [kind, count] : sets_[first].counts) {
            if (is_ignored(kind)) continue;
            while (at != end && at->first < kind) ++at;
            if (at == end || at->first != kind || at->second < count) return false;
        }
        return true;
    }

    // Forgets all multisets but those of the numbers given, and changes these to the new ones.
    void keep(const std::vector<std::uint32_t*>& numbers) {
        auto old = std::move(sets_);
        sets_.assign(1, {});
        numbers_.clear();
        numbers_.emplace(0, 0);
        std::vector<std::uint32_t> renamed(old.size(), 0);
        for (auto* number : numbers) {
            if (*number != 0 && renamed[*number] == 0) {
                renamed[*number] = intern(std::move(old[*number]));
            }
            *number = renamed[*number];
        }
    }

  private:
    struct Set {
        Counts counts;
        std::int32_t total = 0;
        std::uint64_t hash = 0;  // A sum over the elements, so that it can be kept up to date.
    };

    bool is_ignored(std::int32_t kind) const {
        return static_cast<std::size_t>(kind) < ignored_.size() && ignored_[kind];
    }

    static std::uint64_t mixed(std::int32_t kind) {
        auto bits = (static_cast<std::uint64_t>(kind) + 1) * 0x9e3779b97f4a7c15u;
        bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
        return bits ^ bits >> 27;
    }

    std::uint32_t intern(Set set) {
        auto [first, last] = numbers_.equal_range(set.hash);
        for (; first != last; ++first) {
            if (sets_[first->second].counts == set.counts) return first->second;
        }
        auto number = static_cast<std::uint32_t>(sets_.size());
        numbers_.emplace(set.hash, number);
        sets_.push_back(std::move(set));
        return number;
    }

    std::vector<Set> sets_;
    std::vector<bool> ignored_;
    std::unordered_multimap<std::uint64_t, std::uint32_t> numbers_;
};

}  // namespace partita::search
