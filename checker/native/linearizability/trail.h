// How configurations were reached, for whoever wants to see an order and not only hear that there
// is one. A plain search keeps none of this.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "timeline.h"

namespace partita::search {

class Trail {
  public:
    static constexpr std::int32_t kStart = -1;

    // Each adds one operation behind those of a trail, and returns the new trail's number.
    std::int32_t done(std::int32_t before, std::int32_t number) {
        return add({before, number, Sort::kDone});
    }
    // It became free, because here nobody would see it. It may still be done later, with effect.
    std::int32_t unseen(std::int32_t before, std::int32_t number) {
        return add({before, number, Sort::kUnseen});
    }
    // Any crashed operation of a kind, of which enough had been invoked.
    std::int32_t pooled(std::int32_t before, std::int32_t kind) {
        return add({before, kind, Sort::kPooled});
    }

    std::size_t size() const { return steps_.size(); }

    // The operations of a trail in their order. Which crashed one of its kind is used does not
    // matter, for they never end: those invoked first come first.
    std::vector<std::int32_t> order(std::int32_t last, const Timeline& timeline) const {
        std::vector<Step> steps;
        std::vector<bool> is_done(timeline.operations.size());
        for (auto at = last; at != kStart; at = steps_[at].before) {
            steps.push_back(steps_[at]);
            if (steps.back().sort == Sort::kDone) is_done[steps.back().what] = true;
        }
        std::reverse(steps.begin(), steps.end());
        std::vector<std::int32_t> next_of_kind, numbers;
        for (const auto& step : steps) {
            if (step.sort == Sort::kUnseen && is_done[step.what]) continue;
            numbers.push_back(step.sort == Sort::kPooled ? crashed(step.what, timeline, next_of_kind)
                                                         : step.what);
        }
        return numbers;
    }

    // Forgets all trails but these, and changes their numbers to the new ones.
    void keep(const std::vector<std::int32_t*>& lasts) {
        std::vector<std::int32_t> number(steps_.size(), kStart);
        constexpr std::int32_t kNeeded = -2;
        for (auto* last : lasts) {
            if (*last != kStart) number[*last] = kNeeded;
        }
        for (auto at = steps_.size(); at-- > 0;) {
            if (number[at] == kNeeded && steps_[at].before != kStart) {
                number[steps_[at].before] = kNeeded;
            }
        }
        std::size_t kept = 0;
        for (std::size_t at = 0; at < steps_.size(); ++at) {
            if (number[at] != kNeeded) continue;
            auto step = steps_[at];
            if (step.before != kStart) step.before = number[step.before];
            number[at] = static_cast<std::int32_t>(kept);
            steps_[kept++] = step;
        }
        steps_.resize(kept);
        for (auto* last : lasts) {
            if (*last != kStart) *last = number[*last];
        }
    }

  private:
    enum class Sort : std::uint8_t { kDone, kUnseen, kPooled };
    struct Step {
        std::int32_t before;  // The step before it, or `kStart`.
        std::int32_t what;    // An operation, or a kind.
        Sort sort;
    };

    std::int32_t add(const Step& step) {
        steps_.push_back(step);
        return static_cast<std::int32_t>(steps_.size()) - 1;
    }

    // The first crashed operation of a kind that was not used yet.
    static std::int32_t crashed(std::int32_t kind, const Timeline& timeline,
                                std::vector<std::int32_t>& next_of_kind) {
        if (static_cast<std::size_t>(kind) >= next_of_kind.size()) next_of_kind.resize(kind + 1);
        auto at = next_of_kind[kind];
        const auto& operations = timeline.operations;
        while (operations[at].kind != kind || operations[at].role != Role::kPooled) ++at;
        next_of_kind[kind] = at + 1;
        return at;
    }

    std::vector<Step> steps_;
};

}  // namespace partita::search
