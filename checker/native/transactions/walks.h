// The search for short cycles of a kind, each within a budget.

#pragma once

#include <optional>
#include <vector>

#include "cycles.h"

namespace partita::transactions {

// What a walk has passed so far, for a kind of cycle: a small number. -1: it is not of the kind.
int advanced(Kind kind, int state, Relation relation);

// Whether a walk that comes back to its beginning is of the kind. `closed_by_rw`: its first edge,
// which the last one meets, is an rw.
bool accepted(Kind kind, int state, bool closed_by_rw);

// A part of a piece: the nodes whose place is not behind the last one.
struct Window {
    const uint32_t* place = nullptr;  // by node; null: the whole piece
    uint32_t last = none;

    bool has(uint32_t node) const { return place == nullptr || place[node] <= last; }
};

class Walks {
   public:
    explicit Walks(const Piece& piece, Limits& limits) : piece_(piece), limits_(limits) {}

    // Looks for a walk from the end of an edge back to its source, along `mask` and inside of one
    // group and window, of a kind. Empty: there is none, or the budget was spent: then `spent` says
    // so.
    std::optional<Cycle> through(uint32_t source, PieceEdge edge, Kind kind, Mask mask,
                                 const Groups& groups, int64_t budget, Window window = {});

    // The same for a walk from a transaction to one that had ended before it began.
    std::optional<Cycle> back_in_time(uint32_t from, Kind kind, Mask mask, const Groups& groups,
                                      int64_t budget);

    // A walk of any kind through an edge, which exists if both its ends are in one group.
    std::optional<Cycle> any(uint32_t source, PieceEdge edge, Mask mask, const Groups& groups);

    // The closed walk, with hubs and barriers between transactions left out.
    Cycle closed(const std::vector<uint32_t>& nodes, const std::vector<Relation>& relations) const;

    bool spent = false;
    int64_t visits = 0;

   private:
    struct Step {
        uint32_t from;  // a place in `queue_`
        uint32_t node;
        int8_t state;
        Relation relation;
    };

    template <class Advance, class IsEnd>
    std::optional<uint32_t> search(uint32_t from, int state, Mask mask, const Groups& groups,
                                   int64_t budget, Window window, Advance advance, IsEnd is_end);
    std::optional<Cycle> cycle(uint32_t at, uint32_t source, Relation first) const;
    bool is_new(uint32_t node, int state);

    const Piece& piece_;
    Limits& limits_;
    std::vector<Step> queue_;
    std::vector<uint32_t> seen_;  // by node and state: in which search
    uint32_t searches_ = 0;
};

}  // namespace partita::transactions
