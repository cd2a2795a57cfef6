// Any model: states and transitions as numbers, asked for one by one and remembered.

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bits.h"
#include "blocks.h"
#include "../limits.h"
#include "timeline.h"

namespace partita::search {

// The state after an operation of a kind, as a number; `kImpossible` if there is none.
using Ask = std::function<std::int32_t(std::int32_t state, std::int32_t kind)>;

// Transitions by state and kind. Each is asked for once.
class Transitions {
  public:
    Transitions(Ask ask, std::int32_t kinds, const Limits& limits)
        : ask_(std::move(ask)), kinds_(kinds), limits_(limits), table_(1024) {}

    std::int32_t operator()(std::int32_t state, std::int32_t kind) {
        const auto key = static_cast<std::uint64_t>(state) * kinds_ + kind + 1;
        auto* entry = find(key);
        if (entry->key == key) return entry->next;
        auto next = ask_(state, kind);
        states_ = std::max({states_, state + 1, next + 1});
        if (++count_ * 4 > table_.size() * 3) grow();
        entry = find(key);
        *entry = {key, next};
        return next;
    }

    std::int32_t states() const { return states_; }
    std::int32_t kinds() const { return kinds_; }

    // Asks for everything that is reachable; false if that is more than a little.
    bool close(std::int32_t states_most, std::int64_t questions_most) {
        std::int64_t questions = 0;
        for (std::int32_t state = 0; state < states_; ++state) {
            for (std::int32_t kind = 0; kind < kinds_; ++kind) {
                if (states_ > states_most || ++questions > questions_most) return false;
                (*this)(state, kind);
            }
        }
        return true;
    }

  private:
    struct Entry {
        std::uint64_t key = 0;  // 0: none.
        std::int32_t next = 0;
    };

    Entry* find(std::uint64_t key) {
        const auto mask = table_.size() - 1;
        auto at = (key * 0x9e3779b97f4a7c15u >> 20) & mask;
        while (table_[at].key != 0 && table_[at].key != key) at = (at + 1) & mask;
        return &table_[at];
    }

    void grow() {
        limits_.look_before_taking(2 * table_.size() * sizeof(Entry));
        auto old = std::move(table_);
        table_.assign(old.size() * 2, {});
        for (const auto& entry : old) {
            if (entry.key != 0) *find(entry.key) = entry;
        }
    }

    Ask ask_;
    std::int32_t kinds_;
    const Limits& limits_;
    std::int32_t states_ = 1;
    std::size_t count_ = 0;
    std::vector<Entry> table_;
};

struct TableKind {
    std::int32_t number = 0;  // Among all kinds.
    bool reads = false;       // It never changes the state.
    bool overwrites = false;  // It is possible in every state, always with the same result.
};

template <class Mask>
class TableSpace {
  public:
    TableSpace(Transitions& transitions, const std::vector<TableKind>& kinds, bool closed)
        : transitions_(transitions), kinds_(kinds), closed_(closed), available_(kinds.size(), 0) {}

    std::int32_t states() const { return transitions_.states(); }
    std::int32_t nothing() const { return kImpossible; }
    std::int32_t anything() const { return kImpossible; }
    std::vector<std::int32_t> starts() const {
        std::vector<std::int32_t> all;
        for (std::int32_t i = 0; closed_ && i < transitions_.states(); ++i) all.push_back(i);
        return all;
    }

    void look_ahead(const Timeline& timeline) { in_slot_.assign(timeline.slots, 0); }
    void pass(std::int32_t, std::int32_t, bool) {}

    void open(int slot, std::int32_t kind) {
        in_slot_[slot] = kind;
        pending_.set(slot);
        if (kinds_[kind].overwrites) hidden_.set(slot);
        ++version_;
    }
    void close(int slot, std::int32_t) {
        pending_.reset(slot);
        hidden_.reset(slot);
        ++version_;
    }

    std::int32_t next(std::int32_t state, std::int32_t kind) {
        return transitions_(state, kinds_[kind].number);
    }
    // Whether one and then the other leads to the same as the other and then the one.
    bool commute(std::int32_t state, std::int32_t one, std::int32_t other) {
        const auto first = next(state, one), second = next(state, other);
        if (first == kImpossible || second == kImpossible) return false;
        const auto end = next(second, one);
        return end != kImpossible && end == next(first, other);
    }
    bool changes(std::int32_t kind) const { return !kinds_[kind].reads; }
    bool overwrites(std::int32_t kind) const { return kinds_[kind].overwrites; }

    Mask quiet(std::int32_t state) { return look(state).quiet; }
    Mask steps(std::int32_t state) { return look(state).steps; }
    Mask hidden() const { return hidden_; }

    // Whether something not spent, or pooled if that may be used, can be done in `state` that
    // does not hide what led here.
    bool leads_on(std::int32_t state, const Mask& spent, bool is_pool_open) {
        bool leads = false;
        auto differs = [&](std::int32_t kind) {
            if (kinds_[kind].overwrites) return false;
            auto after = next(state, kind);
            return after != kImpossible && after != state;
        };
        // Not by `look`, which asks for all: mostly the first one differs.
        pending_.without(spent).each([&](int slot) {
            leads = leads || differs(in_slot_[slot]);
        });
        if (!is_pool_open) return leads;
        for (auto kind : pooled_) leads = leads || (available_[kind] > 0 && differs(kind));
        return leads;
    }

    template <class Visit>
    void each_choice(const Mask&, const Mask&, Visit) const {}
    bool is_unseen(std::int32_t) const { return false; }

    void pool(std::int32_t kind, int difference) {
        if (kinds_[kind].reads) return;
        if (available_[kind] == 0 && difference > 0) pooled_.push_back(kind);
        available_[kind] += difference;
        if (available_[kind] == 0) std::erase(pooled_, kind);
    }
    bool has_pool() const { return !pooled_.empty(); }
    std::int32_t available(std::int32_t kind) const { return available_[kind]; }
    template <class EachPending>
    void prepare(EachPending) {}
    const std::vector<std::int32_t>& useful() const { return pooled_; }

  private:
    struct View {
        std::uint64_t version = 0;
        Mask quiet, steps;
    };

    // What is pending, seen from a state; remembered until something is invoked or completes.
    const View& look(std::int32_t state) {
        if (static_cast<std::size_t>(state) >= views_.size()) views_.resize(state + 1);
        if (views_[state].version == version_) return views_[state];
        View view;
        view.version = version_;
        pending_.each([&](int slot) {
            const auto kind = in_slot_[slot];
            const auto after = next(state, kind);
            if (after == kImpossible) return;
            if (after == state) view.quiet.set(slot);
            if (after != state || kinds_[kind].overwrites) view.steps.set(slot);
        });
        return views_[state] = view;
    }

    Transitions& transitions_;
    const std::vector<TableKind>& kinds_;
    bool closed_;
    std::vector<std::int32_t> available_, pooled_;
    std::vector<std::int32_t> in_slot_;
    Mask pending_, hidden_;
    std::uint64_t version_ = 1;
    Blocks<View> views_;
};

}  // namespace partita::search
