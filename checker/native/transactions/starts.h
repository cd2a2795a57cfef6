// Where searches for cycles begin: at edges that a cycle of the kind has, the most promising first.

#pragma once

#include <vector>

#include "cycles.h"

namespace partita::transactions {

struct Start {
    int64_t distance;
    uint32_t source;
    PieceEdge edge;
};

struct Starts {
    std::vector<std::vector<Start>> of_group;
    // By node: its place in an order that all edges but rw respect, so that rw alone leads back in
    // it. Empty where that is not known, and of no use in groups that are not `in_order`.
    std::vector<uint32_t> place;
    std::vector<uint8_t> in_order;  // by group
};

// The starts for cycles of a kind, and of an order, in each group of a piece. Groups that are
// `idle` get none. `mask`: the relations that the groups were made of.
Starts starts_of(const Piece& piece, Kind kind, Order order, Mask mask, const Groups& groups,
                 const std::vector<uint8_t>& idle);

}  // namespace partita::transactions
