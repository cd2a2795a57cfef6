// Registers: what an operation asks of the value, and what it leaves behind.

#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "bits.h"
#include "timeline.h"

namespace partita::search {

constexpr std::int32_t kAny = -1;   // As guard: any value will do.
constexpr std::int32_t kKeep = -1;  // As result: the value stays.

struct RegisterKind {
    std::int32_t guard = kAny;
    std::int32_t result = kKeep;
    bool negated = false;  // The value must differ from the guard.

    bool overwrites() const { return guard == kAny && result != kKeep; }

    // The state after such an operation.
    std::int32_t next(std::int32_t state) const {
        if (guard != kAny && (state == guard) == negated) return kImpossible;
        return result == kKeep ? state : result;
    }
    bool operator==(const RegisterKind&) const = default;
};

// Values are 0 .. values-1. Two states are no values: `anything()`, any one value not yet
// chosen, from which a refutation may start; and `nothing()`, a value that nobody will see.
template <class Mask>
class RegisterSpace {
  public:
    RegisterSpace(const std::vector<RegisterKind>& kinds, std::int32_t values)
        : kinds_(kinds), values_(values), of_value_(values + 2), pool_(kinds.size()) {}

    std::int32_t states() const { return values_ + 2; }
    std::int32_t anything() const { return values_; }
    std::vector<std::int32_t> starts() const { return {anything()}; }
    std::int32_t nothing() const { return values_ + 1; }

    // The least completion of overwriting operations invoked at or after each operation, and
    // the next operation of the same guard: what `is_unseen` needs of the future.
    void look_ahead(const Timeline& timeline) {
        auto count = timeline.operations.size();
        overwritten_.assign(count + 1, kNever);
        next_same_.assign(count, kNever);
        for (auto i = static_cast<std::int32_t>(count) - 1; i >= 0; --i) {
            const auto& operation = timeline.operations[i];
            const auto& kind = kinds_[operation.kind];
            overwritten_[i] = overwritten_[i + 1];
            if (kind.overwrites() && operation.role == Role::kOwed) {
                overwritten_[i] = std::min(overwritten_[i], operation.returned);
            }
            if (kind.guard != kAny) {
                next_same_[i] = of_value_[kind.guard].next_guard;
                of_value_[kind.guard].next_guard = i;
            }
        }
        timeline_ = &timeline;
    }

    // Moves over the invocation of an operation, forth or back.
    void pass(std::int32_t number, std::int32_t kind, bool forth) {
        upcoming_ = forth ? number + 1 : number;
        if (kinds_[kind].guard != kAny) {
            of_value_[kinds_[kind].guard].next_guard = forth ? next_same_[number] : number;
        }
    }

    void open(int slot, std::int32_t number) { change(slot, number, true); }
    void close(int slot, std::int32_t number) { change(slot, number, false); }

    std::int32_t next(std::int32_t state, std::int32_t number) const {
        return kinds_[number].next(state);
    }
    // No two operations that change a register do.
    bool commute(std::int32_t, std::int32_t, std::int32_t) const { return false; }
    bool changes(std::int32_t number) const { return kinds_[number].result != kKeep; }
    bool overwrites(std::int32_t number) const { return kinds_[number].overwrites(); }

    // Pending operations that are possible in a state and leave it as it is.
    Mask quiet(std::int32_t state) const {
        const auto& cell = pending(state);
        return cell.reads | cell.writes | unequal_.without(cell.unequal);
    }
    // Pending operations that are possible in a state and change it, or hide others.
    Mask steps(std::int32_t state) const { return writes_ | pending(state).cas; }
    // Pending operations that can go unseen directly before any that overwrites.
    Mask hidden() const { return writes_; }

    // Whether something not spent can be done in this state that could not be done before it.
    bool leads_on(std::int32_t state, const Mask& spent, bool) const {
        return of_value_[state].pooled_from > 0 || pending(state).cas.without(spent).any();
    }

    // Visits the values that `anything()` may turn out to have been, as far as it matters.
    template <class Visit>
    void each_choice(const Mask& owed, const Mask& spent, Visit visit) const {
        for (auto value : wanted_) {
            const auto& cell = pending(value);
            if ((owed & cell.reads).any() || cell.cas.without(spent).any() ||
                of_value_[value].pooled_from > 0) {
                visit(value);
            }
        }
    }

    // Whether nobody can see this value any more: no pending operation asks for it, and none
    // will before an overwriting operation that is yet to be invoked must have taken effect.
    bool is_unseen(std::int32_t state) const {
        if (state >= values_) return false;
        const auto& value = of_value_[state];
        const auto& cell = pending(state);
        if (value.pooled_from > 0 || (cell.reads | cell.cas | cell.unequal).any()) return false;
        return value.next_guard == kNever ||
               timeline_->operations[value.next_guard].invoked > overwritten_[upcoming_];
    }

    // Changes how many operations of a kind are in the pool.
    void pool(std::int32_t number, int difference) {
        const auto& kind = kinds_[number];
        if (kind.result == kKeep) return;
        auto& pooled = pool_[number];
        pooled.available += difference;
        if (kind.guard != kAny) of_value_[kind.guard].pooled_from += difference;
        if (!pooled.listed) {
            pooled.listed = true;
            makers_[kind.result].push_back(number);
            pooled_.push_back(number);
        }
    }
    bool has_pool() const { return !pooled_.empty(); }
    std::int32_t available(std::int32_t number) const { return pool_[number].available; }

    // Before an operation completes: which values anybody pending could ask for, and which
    // kinds in the pool can make them, directly or through one another.
    template <class EachPending>
    void prepare(EachPending each_pending) {
        wanted_.clear();
        useful_.clear();
        each_pending([&](std::int32_t number) {
            if (kinds_[number].guard != kAny && !kinds_[number].negated) {
                want(kinds_[number].guard);
            }
        });
        for (std::size_t i = 0; i < wanted_.size(); ++i) {
            auto makers = makers_.find(wanted_[i]);
            if (makers == makers_.end()) continue;
            for (auto number : makers->second) {
                if (pool_[number].available <= 0) continue;
                useful_.push_back(number);
                if (kinds_[number].guard != kAny) want(kinds_[number].guard);
            }
        }
        // Whoever asks only for a difference is served by any other value.
        if (unequal_.any()) {
            useful_.clear();
            for (auto number : pooled_) {
                if (pool_[number].available > 0) useful_.push_back(number);
            }
        }
        for (auto value : wanted_) of_value_[value].wanted = false;
    }
    const std::vector<std::int32_t>& useful() const { return useful_; }

  private:
    struct Value {
        std::int32_t cell = -1;  // Where its pending operations are; -1: it has none.
        std::int32_t next_guard = kNever;
        std::int32_t pooled_from = 0;
        bool wanted = false;
    };
    // Pending operations that ask for a value or write it. Few values have any at a time.
    struct Cell {
        Mask reads, writes, cas, unequal;
        int count = 0;
    };
    struct Pooled {
        std::int32_t available = 0;
        bool listed = false;
    };

    void want(std::int32_t value) {
        if (of_value_[value].wanted) return;
        of_value_[value].wanted = true;
        wanted_.push_back(value);
    }

    const Cell& pending(std::int32_t value) const {
        auto cell = of_value_[value].cell;
        return cell < 0 ? none_ : cells_[cell];
    }

    void change(int slot, std::int32_t number, bool on) {
        const auto& kind = kinds_[number];
        auto& value = of_value_[kind.overwrites() ? kind.result : kind.guard];
        if (value.cell < 0) value.cell = take_cell();
        auto& cell = cells_[value.cell];
        auto put = [&](Mask& mask) { on ? mask.set(slot) : mask.reset(slot); };
        if (kind.overwrites()) {
            put(cell.writes);
            put(writes_);
        } else if (kind.result != kKeep) {
            put(cell.cas);
        } else if (kind.negated) {
            put(cell.unequal);
            put(unequal_);
        } else {
            put(cell.reads);
        }
        cell.count += on ? 1 : -1;
        if (cell.count == 0) {
            free_cells_.push_back(value.cell);
            value.cell = -1;
        }
    }

    std::int32_t take_cell() {
        if (free_cells_.empty()) {
            cells_.emplace_back();
            return static_cast<std::int32_t>(cells_.size()) - 1;
        }
        auto cell = free_cells_.back();
        free_cells_.pop_back();
        return cell;
    }

    const std::vector<RegisterKind>& kinds_;
    std::int32_t values_;
    std::vector<Value> of_value_;
    std::vector<Cell> cells_;
    std::vector<std::int32_t> free_cells_;
    Cell none_;
    Mask writes_, unequal_;
    std::int32_t upcoming_ = 0;
    const Timeline* timeline_ = nullptr;
    std::vector<std::int32_t> overwritten_, next_same_;
    std::vector<Pooled> pool_;
    std::unordered_map<std::int32_t, std::vector<std::int32_t>> makers_;
    std::vector<std::int32_t> pooled_;
    std::vector<std::int32_t> wanted_, useful_;
};

}  // namespace partita::search
