// What a search is about, apart from the operations' times: their kinds and the first state.

#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "register_space.h"
#include "table_space.h"

namespace partita::search {

// Operations on a register.
class RegisterProblem {
  public:
    RegisterProblem(std::vector<RegisterKind> kinds, std::int32_t values, std::int32_t initial)
        : kinds_(std::move(kinds)), values_(values), initial_(initial) {}

    template <class Mask>
    using Space = RegisterSpace<Mask>;
    template <class Mask>
    Space<Mask> space() const {
        return Space<Mask>(kinds_, values_);
    }

    std::size_t kinds() const { return kinds_.size(); }
    std::int32_t initial() const { return initial_; }
    bool knows_states() const { return true; }
    bool changes(std::int32_t kind) const { return kinds_[kind].result != kKeep; }
    bool overwrites(std::int32_t kind) const { return kinds_[kind].overwrites(); }
    std::int32_t next(std::int32_t state, std::int32_t kind) const {
        return kinds_[kind].next(state);
    }

    // Puts kinds in an order in which `relevant` finds them.
    void arrange(std::vector<std::int32_t>& kinds) const {
        std::sort(kinds.begin(), kinds.end(), [&](auto a, auto b) {
            return kinds_[a].result < kinds_[b].result;
        });
    }

    // Adds to some kinds those of others, which are arranged, that could serve them: by writing
    // what they ask for, or what others that serve them ask for.
    void add_relevant(std::vector<std::int32_t>& kinds,
                      const std::vector<std::int32_t>& others) const {
        std::vector<std::int32_t> wanted;
        for (auto kind : std::vector(kinds)) {
            if (kinds_[kind].negated) {
                kinds.insert(kinds.end(), others.begin(), others.end());
                return;
            }
            if (kinds_[kind].guard != kAny) wanted.push_back(kinds_[kind].guard);
        }
        std::unordered_set<std::int32_t> seen;
        while (!wanted.empty()) {
            auto value = wanted.back();
            wanted.pop_back();
            if (!seen.insert(value).second) continue;
            auto at = std::lower_bound(others.begin(), others.end(), value,
                                       [&](auto kind, auto v) { return kinds_[kind].result < v; });
            for (; at != others.end() && kinds_[*at].result == value; ++at) {
                kinds.push_back(*at);
                if (kinds_[*at].guard != kAny) wanted.push_back(kinds_[*at].guard);
            }
        }
    }

    // The same with some of the kinds only, renumbered in the order given, and with their values.
    RegisterProblem restricted(const std::vector<std::int32_t>& kinds) const {
        std::vector<std::int32_t> values{initial_};
        for (auto kind : kinds) {
            values.push_back(kinds_[kind].guard);
            values.push_back(kinds_[kind].result);
        }
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
        if (values.front() == kAny) values.erase(values.begin());
        auto local = [&](std::int32_t value) {
            if (value == kAny) return kAny;
            auto at = std::lower_bound(values.begin(), values.end(), value);
            return static_cast<std::int32_t>(at - values.begin());
        };
        std::vector<RegisterKind> chosen;
        for (auto kind : kinds) {
            const auto& each = kinds_[kind];
            chosen.push_back({local(each.guard), local(each.result), each.negated});
        }
        return {std::move(chosen), static_cast<std::int32_t>(values.size()), local(initial_)};
    }

  private:
    std::vector<RegisterKind> kinds_;
    std::int32_t values_, initial_;
};

// Operations of any model. If all states are known, then which kinds never change one, and which
// overwrite (possible in every state, always with the same result) is seen from the transitions;
// else `declared` says of which that is known.
class TableProblem {
  public:
    TableProblem(Transitions& transitions, std::vector<TableKind> declared, bool closed)
        : transitions_(&transitions), kinds_(std::move(declared)), closed_(closed) {
        for (auto& kind : kinds_) {
            if (closed) kind = classified(kind.number);
        }
    }

    template <class Mask>
    using Space = TableSpace<Mask>;
    template <class Mask>
    Space<Mask> space() const {
        return Space<Mask>(*transitions_, kinds_, closed_);
    }

    std::size_t kinds() const { return kinds_.size(); }
    std::int32_t initial() const { return 0; }
    bool knows_states() const { return closed_; }
    bool changes(std::int32_t kind) const { return !kinds_[kind].reads; }
    bool overwrites(std::int32_t kind) const { return kinds_[kind].overwrites; }
    std::int32_t next(std::int32_t state, std::int32_t kind) const {
        return (*transitions_)(state, kinds_[kind].number);
    }

    void arrange(std::vector<std::int32_t>&) const {}
    void add_relevant(std::vector<std::int32_t>& kinds,
                      const std::vector<std::int32_t>& others) const {
        kinds.insert(kinds.end(), others.begin(), others.end());
    }

    TableProblem restricted(const std::vector<std::int32_t>& kinds) const {
        TableProblem result(*this);
        result.kinds_.clear();
        for (auto kind : kinds) result.kinds_.push_back(kinds_[kind]);
        return result;
    }

  private:
    TableKind classified(std::int32_t kind) {
        bool changes = false, constant = true;
        const auto first = (*transitions_)(0, kind);
        for (std::int32_t state = 0; state < transitions_->states(); ++state) {
            auto after = (*transitions_)(state, kind);
            changes = changes || (after != kImpossible && after != state);
            constant = constant && after != kImpossible && after == first;
        }
        return {kind, !changes, changes && constant};
    }

    Transitions* transitions_;
    std::vector<TableKind> kinds_;
    bool closed_;
};

}  // namespace partita::search
