// Models whose states are numbers in cells: a bank's balances, several registers, a lock.
//
// What an operation of a kind does is a few steps over the cells, so that nobody needs to be asked
// for a state after an operation. `checker/models/cells.py` says the same for Python.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "../limits.h"
#include "bits.h"
#include "blocks.h"
#include "timeline.h"

namespace partita::search {

enum class CellAct : std::int8_t { kAsk, kSet, kAdd, kLearn, kNotNegative, kNever };

// A cell of which nobody knows what it held at first.
constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::min();

struct CellStep {
    CellAct act;
    std::int32_t cell;
    std::int64_t value;
};

class Cells {
  public:
    // The steps of a kind are those from `begins[kind]` on, until those of the next one begin.
    Cells(std::vector<std::int64_t> first, std::vector<CellStep> steps,
          std::vector<std::int64_t> begins, const Limits& limits)
        : steps_(std::move(steps)),
          begins_(std::move(begins)),
          limits_(limits),
          now_(std::move(first)),
          width_(now_.size()),
          table_(1024, kNone) {
        number();
    }

    // The state after an operation of a kind, `kImpossible` if there is none.
    std::int32_t operator()(std::int32_t state, std::int32_t kind) {
        for (std::size_t i = 0; i < width_; ++i) now_[i] = held_[state * width_ + i];
        for (auto at = begins_[kind]; at < begins_[kind + 1]; ++at) {
            if (!take(steps_[at])) return kImpossible;
        }
        return number();
    }

    // Whether an operation of a kind may lead to another state than that before it. Called
    // before anything is asked for: a cell that is known at first is always known.
    bool changes(std::int32_t kind) const {
        return std::any_of(steps_.begin() + begins_[kind], steps_.begin() + begins_[kind + 1],
                           [&](const CellStep& step) {
                               const bool learns = step.act == CellAct::kLearn;
                               return step.act == CellAct::kSet || step.act == CellAct::kAdd ||
                                      (learns && now_[step.cell] == kUnknown);
                           });
    }

  private:
    static constexpr std::int32_t kNone = -1;

    bool take(const CellStep& step) {
        auto& held = now_[step.cell];
        switch (step.act) {
            case CellAct::kAsk:
                return held == step.value;
            case CellAct::kSet:
                held = step.value;
                return true;
            case CellAct::kAdd:
                if (held != kUnknown) held += step.value;
                return true;
            case CellAct::kLearn:
                if (held == kUnknown) held = step.value;
                return held == step.value;
            case CellAct::kNotNegative:
                return held == kUnknown || held >= 0;
            case CellAct::kNever:
                break;
        }
        return false;
    }

    // The number of the state in `now_`, which is a new one if it was never there.
    std::int32_t number() {
        auto* entry = find();
        if (*entry != kNone) return *entry;
        if (4 * (count_ + 1) > 3 * table_.size()) {
            grow();
            entry = find();
        }
        *entry = count_++;
        held_.resize(count_ * width_);
        for (std::size_t i = 0; i < width_; ++i) held_[*entry * width_ + i] = now_[i];
        return *entry;
    }

    std::int32_t* find() {
        auto at = hash([&](std::size_t i) { return now_[i]; });
        while (table_[at] != kNone && !is_now(table_[at])) at = (at + 1) & (table_.size() - 1);
        return &table_[at];
    }

    bool is_now(std::int32_t state) const {
        for (std::size_t i = 0; i < width_; ++i) {
            if (held_[state * width_ + i] != now_[i]) return false;
        }
        return true;
    }

    template <class Held>
    std::size_t hash(Held held) const {
        std::uint64_t hash = 0;
        for (std::size_t i = 0; i < width_; ++i) {
            hash = (hash ^ static_cast<std::uint64_t>(held(i))) * 0x9e3779b97f4a7c15u;
            hash ^= hash >> 29;
        }
        return hash & (table_.size() - 1);
    }

    void grow() {
        limits_.look_before_taking(2 * table_.size() * sizeof(std::int32_t));
        table_.assign(2 * table_.size(), kNone);
        for (std::size_t state = 0; state < count_; ++state) {
            auto at = hash([&](std::size_t i) { return held_[state * width_ + i]; });
            while (table_[at] != kNone) at = (at + 1) & (table_.size() - 1);
            table_[at] = static_cast<std::int32_t>(state);
        }
    }

    std::vector<CellStep> steps_;
    std::vector<std::int64_t> begins_;
    const Limits& limits_;
    std::vector<std::int64_t> now_;
    std::size_t width_;
    Blocks<std::int64_t> held_;  // By state, and by cell.
    std::vector<std::int32_t> table_;
    std::size_t count_ = 0;
};

}  // namespace partita::search
