// One step of the search: from the configurations before an event to those after it.
//
// Operations are put in order as late as possible: only when one completes that a configuration
// still owes are steps taken, until it is done. Nothing is lost, for whatever comes behind it in
// an order can as well be put there later (Lowe, "Testing for Linearizability", 2017). One that
// completes when it is free has its last chance: it is let go, and it is also done as a last
// step, for its result may be seen by others that are not invoked yet.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "antichain.h"
#include "bits.h"
#include "blocks.h"
#include "../limits.h"
#include "pending.h"
#include "reductions.h"
#include "timeline.h"
#include "trail.h"
#include "../usage.h"

namespace partita::search {

template <class Space, class Mask>
class Frontier {
  public:
    using Configuration = Config<Mask>;

    Frontier(const Timeline& timeline, Space& space, std::size_t kinds,
             const Reductions& reductions, const Limits& limits)
        : timeline_(timeline),
          space_(space),
          reductions_(reductions),
          limits_(limits),
          pending_(timeline, space, kinds),
          reached_(space.states(), usage_, reductions.dominate),
          explored_(space.states(), usage_, reductions.dominate) {}

    std::vector<Configuration> configs;
    Trail* trail = nullptr;             // Where it is kept how configurations were reached.
    std::vector<std::int32_t> trails;   // If it is kept: of each configuration.
    bool counted = true;         // Whether a pooled operation can be used only once.
    std::size_t node_limit = 0;  // Give up an event beyond this many nodes; 0: never.
    bool thrifty = false;        // Use the pool only where there is no other way.
    bool gave_up = false;        // Whether configurations may have been missed.

    UsageTable& usage() { return usage_; }
    std::int32_t position() const { return pending_.position(); }
    bool at_end() const { return pending_.at_end(); }
    std::size_t nodes() const { return nodes_; }

    // Begins with one configuration for each of these states.
    void start(const std::vector<std::int32_t>& states) {
        configs.clear();
        for (auto state : states) configs.emplace_back().state = state;
        trails.assign(configs.size(), Trail::kStart);
    }

    // Calls with each operation that is pending, but for the pooled ones.
    template <class Visit>
    void each_pending(Visit visit) const {
        pending_.all().each([&](int slot) { visit(pending_.in(slot)); });
    }

    // From now on it does not tell configurations apart how often they used a crashed operation
    // of which all of them have `plenty` left: there are too many ways to use them. Those that
    // are missed by that are seldom needed.
    void ignore_the_plentiful(std::int32_t plenty_left) {
        std::vector<bool> plenty, scarce;
        for (const auto& config : configs) {
            for (auto [kind, count] : usage_.counts(config.usage)) {
                if (static_cast<std::size_t>(kind) >= plenty.size()) {
                    plenty.resize(kind + 1);
                    scarce.resize(kind + 1);
                }
                if (space_.available(kind) - count < plenty_left) scarce[kind] = true;
                plenty[kind] = !scarce[kind];
            }
        }
        if (std::find(plenty.begin(), plenty.end(), true) == plenty.end()) plenty.clear();
        usage_.ignore(std::move(plenty));
    }

    void ignore_nothing() { usage_.ignore({}); }

    // Moves to a place in time without looking at configurations.
    void seek(std::int32_t position) { pending_.seek(position); }

    // Takes the configurations over the next event. They are none if no order exists.
    void advance() {
        auto event = timeline_.events[pending_.position()];
        const auto& operation = timeline_.operations[Timeline::operation_of(event)];
        if (event >= 0) {
            invoke(operation);
        } else {
            complete(operation);
        }
    }

  private:
    struct Target {
        int slot;
        std::int32_t kind;
    };

    // How a configuration was reached: the last step and the state before it.
    struct Origin {
        std::int32_t before = kImpossible;  // None: where exploring began, or something was freed.
        std::int32_t kind = 0;
        std::int64_t order = 0;
    };

    // The step that is being taken, for the trail.
    struct Way {
        std::int32_t before = Trail::kStart;  // The trail that it continues.
        std::int32_t kind = kImpossible;      // Of its operation; none: no step was taken yet.
        int slot = -1;                        // That of its operation; none: it is pooled.
        Mask owed;                            // What was owed before it.
    };

    void invoke(const Operation& operation) {
        pending_.forth();
        if (operation.slot < 0 || operation.role != Role::kOwed) return;
        for (std::size_t i = 0; i < configs.size(); ++i) {
            auto& config = configs[i];
            bool is_free = reductions_.pure &&
                           space_.next(config.state, operation.kind) == config.state;
            if (!is_free) {
                config.owed.set(operation.slot);
            } else if (trail != nullptr) {
                trails[i] = trail->unseen(trails[i], number_of(operation));
            }
        }
    }

    void complete(const Operation& operation) {
        Target target{operation.slot, operation.kind};
        if (target.slot < 0) {
            if (space_.available(target.kind) == 1) {
                explore(target);
                copy_reached();
            }
            pending_.forth();
            return;
        }
        if (nothing_to_do(target)) {
            pending_.forth();
            return;
        }
        explore(target);
        pending_.forth();
        collect();
    }

    bool nothing_to_do(const Target& target) const {
        if (space_.changes(target.kind) || !reductions_.pure) return false;
        for (const auto& config : configs) {
            if (config.owed.has(target.slot)) return false;
        }
        return true;
    }

    // Keeps what was reached; values that nobody will see become one.
    void collect() {
        copy_reached();
        if (!reductions_.unseen || configs.size() < 2) return;
        bool changed = false;
        for (auto& config : configs) {
            if (space_.is_unseen(config.state)) {
                config.state = space_.nothing();
                changed = true;
            }
        }
        if (!changed) return;
        reached_.clear();
        reached_trails_.clear();
        for (std::size_t i = 0; i < configs.size(); ++i) {
            if (reached_.add(configs[i]) && trail != nullptr) reached_trails_.push_back(trails[i]);
        }
        copy_reached();
    }

    void copy_reached() {
        reached_.copy_to(configs);
        if (trail == nullptr) return;
        trails.clear();
        for (std::size_t i = 0; i < reached_.length(); ++i) {
            if (reached_.alive(i)) trails.push_back(reached_trails_[i]);
        }
    }

    void explore(const Target& target) {
        allowance_ = std::numeric_limits<std::int32_t>::max();
        gave_up = gave_up || usage_.ignores();
        if (!thrifty || !counted || !space_.has_pool()) {
            if (!counted || space_.has_pool()) prepare(target);
            explore_once(target);
            return;
        }
        // Crashed operations that are not needed now are better kept: first none is used, then
        // one, then twice as many each time. This may miss configurations.
        auto least = allowance_;
        for (const auto& config : configs) least = std::min(least, usage_.total(config.usage));
        allowance_ = 0;
        explore_once(target);
        gave_up = true;
        if (reached_.size() > 0) return;
        prepare(target);
        for (std::int32_t more = 1; more < 64 && reached_.size() == 0; more *= 2) {
            allowance_ = least + more;
            explore_once(target);
        }
    }

    void prepare(const Target& target) {
        space_.prepare([&](auto visit) {
            visit(target.kind);
            pending_.all().each([&](int slot) { visit(pending_.in(slot).kind); });
        });
    }

    void explore_once(const Target& target) {
        reached_.clear();
        explored_.clear();
        origins_.clear();
        reached_trails_.clear();
        explored_trails_.clear();
        bool is_slot = target.slot >= 0;
        bool changes = space_.changes(target.kind);
        for (std::size_t i = 0; i < configs.size(); ++i) {
            const auto& config = configs[i];
            if (trail != nullptr) way_ = {trails[i]};
            bool owes = is_slot && config.owed.has(target.slot);
            if (!owes) reach(config, target);
            bool spent = is_slot && config.spent.has(target.slot);
            if (owes || (changes && !spent)) push(config, Origin());
        }
        for (std::size_t i = 0; i < explored_.length(); ++i) {
            if (!explored_.alive(i)) continue;
            if ((++nodes_ & 0x7f) == 0) limits_.look();
            origin_ = origins_[i];
            if (trail != nullptr) way_ = {explored_trails_[i]};
            expand(Configuration(explored_[i]), target);
            if (node_limit > 0 && explored_.length() > node_limit) {
                gave_up = true;
                return;
            }
        }
    }

    void push(const Configuration& config, const Origin& origin) {
        if (!explored_.add(config)) return;
        origins_.push_back(origin);
        if (trail != nullptr) explored_trails_.push_back(continued(config.owed));
    }

    // Adds the step that is being taken to its trail: what it hides comes directly before it, and
    // what else is owed no more behind it, where it changes nothing.
    std::int32_t continued(const Mask& owed) {
        if (way_.kind == kImpossible) return way_.before;
        auto at = way_.before;
        auto freed = way_.owed.without(owed);
        if (way_.slot >= 0) freed.reset(way_.slot);
        Mask hidden;
        if (reductions_.hidden && space_.overwrites(way_.kind)) hidden = freed & space_.hidden();
        auto free = [&](int slot) { at = trail->unseen(at, number_of(pending_.in(slot))); };
        hidden.each(free);
        at = way_.slot < 0 ? trail->pooled(at, way_.kind)
                           : trail->done(at, number_of(pending_.in(way_.slot)));
        freed.without(hidden).each(free);
        return at;
    }

    std::int32_t number_of(const Operation& operation) const {
        return static_cast<std::int32_t>(&operation - timeline_.operations.data());
    }

    // Whether this step, had it been taken before the last one, would have led to the same.
    bool comes_too_late(std::int32_t kind, std::int64_t order) {
        return reductions_.commute && origin_.before != kImpossible && order < origin_.order &&
               space_.commute(origin_.before, origin_.kind, kind);
    }

    void reach(Configuration config, const Target& target) {
        if (target.slot >= 0) {
            config.owed.reset(target.slot);
            config.spent.reset(target.slot);
        }
        if (reached_.add(config) && trail != nullptr) {
            reached_trails_.push_back(continued(config.owed));
        }
    }

    void expand(const Configuration& from, const Target& target) {
        auto steps = space_.steps(from.state);
        if (!reductions_.pure) steps = steps | (space_.quiet(from.state) & from.owed);
        steps = steps.without(from.spent);
        steps.each([&](int slot) {
            if (!reductions_.earliest || is_earliest(slot, steps, from)) {
                take(from, slot, target);
            }
        });
        if (may_use_pool(from)) {
            for (auto kind : space_.useful()) take_pooled(from, kind, target);
        }
        if (target.slot < 0) take_pooled(from, target.kind, target);
        if (from.state == space_.anything()) {
            space_.each_choice(from.owed, from.spent, [&](std::int32_t state) {
                Configuration child = from;
                child.state = state;
                arrive(from, child, Origin(), target, true);
            });
        }
    }

    bool may_use_pool(const Configuration& config) const {
        return !counted || usage_.total(config.usage) < allowance_;
    }

    bool is_earliest(int slot, const Mask& steps, const Configuration& from) const {
        auto others = pending_.of_kind(pending_.in(slot).kind) & steps;
        others.reset(slot);
        if (!others.any()) return true;
        bool earliest = true;
        bool is_owed = from.owed.has(slot);
        others.each([&](int other) {
            bool sooner = pending_.in(other).returned < pending_.in(slot).returned;
            if (sooner && (from.owed.has(other) || !is_owed)) earliest = false;
        });
        return earliest;
    }

    void take(const Configuration& from, int slot, const Target& target) {
        const auto kind = pending_.in(slot).kind;
        const auto order = std::int64_t{pending_.in(slot).returned} << 16 | slot;
        if (comes_too_late(kind, order)) return;
        Configuration child = from;
        child.owed.reset(slot);
        child.spent.set(slot);
        const Origin origin{from.state, kind, order};
        if (trail != nullptr) way_ = {way_.before, kind, slot, from.owed};
        step(from, child, origin, target, slot == target.slot, from.owed.has(slot));
    }

    void take_pooled(const Configuration& from, std::int32_t kind, const Target& target) {
        if (space_.next(from.state, kind) == kImpossible) return;
        // Where pooled operations are not counted they may complete, and then cannot wait.
        const auto waiting = pending_.of_kind(kind).without(from.spent);
        if (reductions_.earliest && counted && waiting.any()) return;
        const bool is_target = target.slot < 0 && kind == target.kind;
        const auto order = is_target ? 0 : std::int64_t{kNever} << 32 | kind;
        if (comes_too_late(kind, order)) return;
        Configuration child = from;
        if (counted) {
            if (usage_.count(from.usage, kind) >= space_.available(kind)) return;
            child.usage = usage_.with(from.usage, kind);
        }
        if (trail != nullptr) way_ = {way_.before, kind, -1, from.owed};
        step(from, child, Origin{from.state, kind, order}, target, is_target, false);
    }

    void step(const Configuration& from, Configuration& child, const Origin& origin,
              const Target& target, bool is_target, bool was_owed) {
        child.state = space_.next(from.state, origin.kind);
        bool hides = reductions_.hidden && space_.overwrites(origin.kind);
        if (hides) {
            auto before = child.owed;
            child.owed = before.without(space_.hidden());
            // Writing the value that is there serves only to hide other writes.
            if (reductions_.pure && child.state == from.state && child.owed == before) return;
        } else if (reductions_.pure && child.state == from.state) {
            return;
        }
        if (is_target) {
            Configuration done = child;
            if (reductions_.pure) done.owed = done.owed.without(space_.quiet(done.state));
            reach(done, target);
            // What is pooled may be done more than once before its last chance is over.
            if (target.slot >= 0) return;
        }
        arrive(from, child, origin, target, !reductions_.pure || (was_owed && !hides));
    }

    void arrive(const Configuration& from, Configuration child, const Origin& origin,
                const Target& target, bool needed) {
        auto before = child.owed;
        if (reductions_.pure) child.owed = child.owed.without(space_.quiet(child.state));
        bool freed = child.owed != before;
        if (reductions_.useful && !needed && !freed &&
            !space_.leads_on(child.state, child.spent, may_use_pool(child))) {
            return;
        }
        if (target.slot >= 0 && from.owed.has(target.slot) && !child.owed.has(target.slot)) {
            reach(child, target);
            if (!space_.changes(target.kind) || child.spent.has(target.slot)) return;
        }
        push(child, freed ? Origin() : origin);
    }

    const Timeline& timeline_;
    Space& space_;
    Reductions reductions_;
    const Limits& limits_;
    Pending<Space, Mask> pending_;
    UsageTable usage_;
    Antichain<Mask> reached_, explored_;
    Blocks<Origin> origins_;  // As the configurations in `explored_`.
    Origin origin_;
    Blocks<std::int32_t> reached_trails_, explored_trails_;  // As the configurations in them.
    Way way_;
    std::size_t nodes_ = 0;
    std::int32_t allowance_ = 0;  // The most crashed operations that may have been used.
};

}  // namespace partita::search
