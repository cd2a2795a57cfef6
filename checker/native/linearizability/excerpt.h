// Part of a history, taken to be contradictory or not by itself.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "frontier.h"
#include "../limits.h"
#include "problem.h"
#include "timeline.h"

namespace partita::search {

// Calls with masks wide enough for the operations that are ever under way at once.
template <class Run>
auto with_slots(int slots, Run run) {
    if (slots <= 64) return run(Bits<1>());
    if (slots <= 256) return run(Bits<4>());
    return run(Bits<64>());
}
constexpr int kSlotsMost = 4096;

// The operations under way between two events of a timeline, and how much each of them counts.
//
// Demoting an operation only weakens the history: it need not happen any more, and may (if it is
// demoted so far) happen any number of times while it is under way. Starting
// from any state instead of the true ones weakens it too. So if there is no order nevertheless,
// then there is none of the whole history, and the operations that were not demoted say why.
template <class Problem>
class Excerpt {
  public:
    Excerpt(const Problem& whole, const Timeline& timeline, std::vector<std::int32_t> numbers,
            std::int32_t from, std::int32_t until, Role demoted)
        : numbers_(std::move(numbers)), from_(from), until_(until), problem_(whole),
          demoted_(demoted) {
        std::vector<std::int32_t> kinds;
        for (auto number : numbers_) kinds.push_back(timeline.operations[number].kind);
        std::sort(kinds.begin(), kinds.end());
        kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
        for (auto number : numbers_) {
            const auto& operation = timeline.operations[number];
            auto at = std::lower_bound(kinds.begin(), kinds.end(), operation.kind);
            entries_.push_back({static_cast<std::int32_t>(at - kinds.begin()),
                                operation.invoked, operation.returned});
        }
        problem_ = whole.restricted(kinds);
        for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
            if (problem_.changes(kind)) changing_.push_back(static_cast<std::int32_t>(kind));
        }
        problem_.arrange(changing_);
    }

    std::size_t nodes() const { return nodes_; }

    // Lets only the last to complete count.
    void track_last() {
        roles_.clear();
        for (const auto& entry : entries_) {
            roles_.push_back(entry.returned == until_ ? Role::kOwed : demoted_);
        }
    }

    // Lets count, besides the last to complete, the operations that were quickest: as many as
    // never more than `most` of them are under way at once. The quicker an operation, the more
    // it says about the order; the fewer under way at once, the fewer configurations.
    void track(int most) {
        std::vector<std::pair<std::int32_t, std::size_t>> order;
        roles_.clear();
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            roles_.push_back(demoted_);
            const auto& entry = entries_[i];
            bool last = entry.returned == until_;
            order.emplace_back(last ? 0 : entry.returned - entry.invoked, i);
        }
        std::sort(order.begin(), order.end());
        std::vector<int> under_way(until_ - from_ + 1);
        for (auto [length, i] : order) {
            const auto& entry = entries_[i];
            const bool whole = entry.invoked >= from_ && entry.returned <= until_;
            if (!whole && !problem_.changes(entry.kind)) continue;
            // A crashed one from before stands for all of its kind.
            if (entry.invoked < from_ && entry.returned == kNever) continue;
            auto first = under_way.begin() + (std::max(entry.invoked, from_) - from_);
            auto last = under_way.begin() + (std::min(entry.returned, until_) - from_) + 1;
            if (*std::max_element(first, last) >= most) continue;
            for (; first != last; ++first) ++*first;
            roles_[i] = whole ? Role::kOwed : Role::kOnce;
        }
    }

    // Whether no order exists. False also if that would take more than `most` nodes.
    bool contradicts(std::size_t most, const Reductions& reductions, const Limits& limits) {
        const auto serving = serving_kinds();
        TimelineBuilder builder(entries_.size());
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            const auto& entry = entries_[i];
            if (roles_[i] == demoted_ && !serving[entry.kind]) continue;
            const bool never = entry.returned > until_;
            builder.add(entry.kind, entry.invoked, entry.returned, never, roles_[i]);
        }
        const auto timeline = builder.finish();
        if (timeline.slots > kSlotsMost) return false;
        return with_slots(timeline.slots, [&]<class Mask>(Mask) {
            auto space = problem_.template space<Mask>();
            space.look_ahead(timeline);
            Frontier<decltype(space), Mask> frontier(timeline, space, problem_.kinds(),
                                                     reductions, limits);
            frontier.start(from_ == 0 ? std::vector{problem_.initial()} : space.starts());
            frontier.counted = false;
            frontier.node_limit = most;
            while (!frontier.at_end() && !frontier.configs.empty() && frontier.nodes() < most) {
                frontier.advance();
            }
            nodes_ += frontier.nodes();
            return frontier.configs.empty() && !frontier.gave_up;
        });
    }

    // Demotes as many operations as possible, and returns those without which there is no
    // contradiction: first halves of them, then quarters, and so on (Zeller's ddmin). Attempts
    // that take much more than the first are given up; so is all, at a limit.
    std::vector<std::int32_t> shrunk(const Reductions& reductions, const Limits& limits) {
        const auto begin = nodes_;
        auto smallest = roles_;
        try {
            if (!contradicts(kNever, reductions, limits)) return tracked();
            shrink(4 * (nodes_ - begin) + 1000, smallest, reductions, limits);
        } catch (const Stopped&) {
        }
        roles_ = smallest;
        return tracked();
    }

    // The operations that were not demoted.
    std::vector<std::int32_t> tracked() const {
        std::vector<std::int32_t> numbers;
        for (std::size_t i = 0; i < roles_.size(); ++i) {
            if (roles_[i] != demoted_) numbers.push_back(numbers_[i]);
        }
        return numbers;
    }

  private:
    void shrink(std::size_t most, std::vector<Role>& smallest, const Reductions& reductions,
                const Limits& limits) {
        std::vector<std::size_t> kept;
        for (std::size_t i = 0; i < roles_.size(); ++i) {
            if (roles_[i] != demoted_) kept.push_back(i);
        }
        for (auto size = (kept.size() + 1) / 2; kept.size() > 1;) {
            bool demoted = false;
            for (std::size_t at = 0; at < kept.size();) {
                const auto end = std::min(at + size, kept.size());
                for (auto i = at; i < end; ++i) roles_[kept[i]] = demoted_;
                if (contradicts(most, reductions, limits)) {
                    kept.erase(kept.begin() + at, kept.begin() + end);
                    smallest = roles_;
                    demoted = true;
                } else {
                    roles_ = smallest;
                    at = end;
                }
            }
            if (size == 1 && !demoted) return;
            size = std::max<std::size_t>(1, size / 2);
        }
    }

    struct Entry {
        std::int32_t kind, invoked, returned;
    };

    // Kinds that could serve an operation that counts; any other pooled operation may as well
    // not have happened.
    std::vector<bool> serving_kinds() const {
        std::vector<std::int32_t> kinds;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (roles_[i] != demoted_) kinds.push_back(entries_[i].kind);
        }
        const auto counting = kinds.size();
        problem_.add_relevant(kinds, changing_);
        std::vector<bool> serving(problem_.kinds(), false);
        for (auto i = counting; i < kinds.size(); ++i) serving[kinds[i]] = true;
        return serving;
    }

    std::vector<std::int32_t> numbers_;
    std::int32_t from_, until_;
    Problem problem_;
    Role demoted_;
    std::vector<std::int32_t> changing_;  // Kinds that change the state, arranged.
    std::vector<Entry> entries_;
    std::vector<Role> roles_;  // By operation of the excerpt, as entries are.
    std::size_t nodes_ = 0;
};

}  // namespace partita::search
