// One component of a graph by itself: with nodes numbered from 0, so that all that is asked about
// it takes time and memory of its size.

#pragma once

#include <algorithm>
#include <vector>

#include "components.h"
#include "graph.h"

namespace partita::transactions {

struct PieceEdge {
    uint32_t target;
    Relation relation;
};

class Piece {
   public:
    explicit Piece(const Graph& graph, const Txns& txns)
        : graph_(graph), txns_(txns), local_(graph.nodes(), none) {}

    // Takes a component instead of the one before.
    void take(const uint32_t* begin, const uint32_t* end) {
        for (const uint32_t node : nodes) local_[node] = none;
        nodes.assign(begin, end);
        std::sort(nodes.begin(), nodes.end());
        for (uint32_t i = 0; i < nodes.size(); i++) local_[nodes[i]] = i;
        offsets.clear();
        edges.clear();
        for (const uint32_t node : nodes) {
            offsets.push_back(static_cast<uint32_t>(edges.size()));
            uint32_t cursor = 0, target = 0;
            Relation relation{};
            while (graph_.next(node, cursor, target, relation)) {
                if (local_[target] != none) edges.push_back({local_[target], relation});
            }
        }
        offsets.push_back(static_cast<uint32_t>(edges.size()));
    }

    uint32_t size() const { return static_cast<uint32_t>(nodes.size()); }
    bool is_txn(uint32_t node) const { return graph_.is_txn(nodes[node]); }
    int64_t invoked(uint32_t node) const { return txns_.given.invoked[nodes[node]]; }
    // When a transaction had ended for sure, `never` for one without an answer.
    int64_t completed(uint32_t node) const {
        const uint32_t txn = nodes[node];
        return txns_.given.outcome[txn] == ok ? txns_.given.completed[txn] : never;
    }

    std::vector<uint32_t> nodes;  // their numbers in the graph
    std::vector<uint32_t> offsets;
    std::vector<PieceEdge> edges;

   private:
    const Graph& graph_;
    const Txns& txns_;
    std::vector<uint32_t> local_;  // by node of the graph
};

// In which component of some relations alone each node of a piece lies; none: in none of two.
struct Groups {
    std::vector<uint32_t> of;
    uint32_t count = 0;

    bool any() const { return count > 0; }
};

// Without two rw in a row, if `layered`: then nodes stand twice, reached by rw and not by rw, and
// rw leads only from one to the other. That has a cycle exactly if snapshot isolation is violated.
inline Groups groups_of(const Piece& piece, Mask mask, bool layered, Components& components,
                        Limits& limits) {
    Groups groups;
    groups.of.assign(piece.size(), none);
    const auto visit = [&](const uint32_t* begin, const uint32_t* end) {
        for (auto node = begin; node != end; ++node) groups.of[layered ? *node / 2 : *node] = groups.count;
        groups.count++;
    };
    if (!layered) {
        const auto next = [&](uint32_t node, uint32_t& cursor, uint32_t& target) {
            while (piece.offsets[node] + cursor < piece.offsets[node + 1]) {
                const PieceEdge& edge = piece.edges[piece.offsets[node] + cursor++];
                if (!(mask & bit(edge.relation))) continue;
                target = edge.target;
                return true;
            }
            return false;
        };
        components.find(piece.size(), next, visit, limits);
        return groups;
    }
    const auto next = [&](uint32_t at, uint32_t& cursor, uint32_t& target) {
        const uint32_t node = at / 2, after_rw = at % 2;
        while (piece.offsets[node] + cursor < piece.offsets[node + 1]) {
            const PieceEdge& edge = piece.edges[piece.offsets[node] + cursor++];
            if (!(mask & bit(edge.relation))) continue;
            if (edge.relation == Relation::rw && after_rw) continue;
            const uint32_t layer = edge.relation == Relation::rw       ? 1
                                   : edge.relation == Relation::onward ? after_rw
                                                                       : 0;
            target = 2 * edge.target + layer;
            return true;
        }
        return false;
    };
    components.find(2 * piece.size(), next, visit, limits);
    return groups;
}

}  // namespace partita::transactions
