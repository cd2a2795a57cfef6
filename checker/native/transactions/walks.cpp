#include "walks.h"

namespace partita::transactions {
namespace {

constexpr uint32_t states = 8;

}  // namespace

// g0: nothing to remember. g1c: bit 0, a wr was passed. g_single: bit 0, an rw was passed.
// g_nonadjacent: bit 0, the last was an rw; the rest counts rw up to 2. g2: bit 0, the last was an
// rw; bit 1, two in a row were passed.
int advanced(Kind kind, int state, Relation relation) {
    if (relation == Relation::onward) return state;
    const bool rw = relation == Relation::rw;
    switch (kind) {
        case Kind::g0: return rw || relation == Relation::wr ? -1 : 0;
        case Kind::g1c: return rw ? -1 : state | (relation == Relation::wr);
        case Kind::g_single: return rw ? (state ? -1 : 1) : state;
        case Kind::g_nonadjacent:
            if (!rw) return state & ~1;
            if (state & 1) return -1;
            return std::min(state / 2 + 1, 2) * 2 + 1;
        default: return rw ? (state & 1 ? 3 : (state & 2) | 1) : state & 2;
    }
}

bool accepted(Kind kind, int state, bool closed_by_rw) {
    switch (kind) {
        case Kind::g0: return true;
        case Kind::g1c:
        case Kind::g_single: return state == 1;
        case Kind::g_nonadjacent: return state >= 4 && !(closed_by_rw && (state & 1));
        default: return (state & 2) || (closed_by_rw && (state & 1));
    }
}

bool Walks::is_new(uint32_t node, int state) {
    uint32_t& seen = seen_[states * node + static_cast<uint32_t>(state)];
    if (seen == searches_) return false;
    seen = searches_;
    return true;
}

// Breadth first, from a node in a state. Returns the place in the queue where `is_end` was met.
template <class Advance, class IsEnd>
std::optional<uint32_t> Walks::search(uint32_t from, int state, Mask mask, const Groups& groups,
                                      int64_t budget, Window window, Advance advance,
                                      IsEnd is_end) {
    if (seen_.size() < states * size_t{piece_.size()}) {
        limits_.look_before_taking(4 * states * size_t{piece_.size()});
        seen_.resize(states * size_t{piece_.size()}, 0);
    }
    ++searches_;
    queue_.clear();
    queue_.push_back({none, from, static_cast<int8_t>(state), Relation::onward});
    is_new(from, state);
    for (uint32_t head = 0; head < queue_.size(); head++) {
        const Step step = queue_[head];
        if (is_end(step.node, step.state)) return head;
        for (uint32_t at = piece_.offsets[step.node]; at < piece_.offsets[step.node + 1]; at++) {
            limits_.poll();
            visits++;
            if (--budget < 0) {
                spent = true;
                return {};
            }
            const PieceEdge edge = piece_.edges[at];
            if (!(mask & bit(edge.relation))) continue;
            if (groups.of[edge.target] != groups.of[from] || !window.has(edge.target)) continue;
            const int next = advance(step.state, edge.relation);
            if (next < 0 || !is_new(edge.target, next)) continue;
            queue_.push_back({head, edge.target, static_cast<int8_t>(next), edge.relation});
        }
    }
    return {};
}

std::optional<Cycle> Walks::cycle(uint32_t at, uint32_t source, Relation first) const {
    std::vector<uint32_t> nodes;
    std::vector<Relation> relations;
    for (; at != none; at = queue_[at].from) {
        nodes.push_back(queue_[at].node);
        if (queue_[at].from != none) relations.push_back(queue_[at].relation);
    }
    std::reverse(nodes.begin(), nodes.end());
    std::reverse(relations.begin(), relations.end());
    relations.insert(relations.begin(), first);
    if (nodes.back() == source) nodes.pop_back();
    nodes.insert(nodes.begin(), source);
    return closed(nodes, relations);
}

Cycle Walks::closed(const std::vector<uint32_t>& nodes,
                    const std::vector<Relation>& relations) const {
    Cycle cycle;
    size_t begin = 0;
    while (!piece_.is_txn(nodes[begin])) begin++;
    for (size_t i = 0; i < nodes.size(); i++) {
        const size_t at = (begin + i) % nodes.size();
        if (!piece_.is_txn(nodes[at])) continue;
        const Relation relation = relations[at];
        // Of several steps in real time, or of one process, only one is said.
        const bool goes_on = !cycle.relations.empty() && cycle.relations.back() == relation &&
                             (relation == Relation::realtime || relation == Relation::process);
        if (goes_on) continue;
        cycle.txns.push_back(piece_.nodes[nodes[at]]);
        cycle.relations.push_back(relation);
    }
    const Relation first = cycle.relations.front();
    if (cycle.txns.size() > 2 && first == cycle.relations.back() &&
        (first == Relation::realtime || first == Relation::process)) {
        cycle.txns.erase(cycle.txns.begin());
        cycle.relations.erase(cycle.relations.begin());
    }
    return cycle;
}

std::optional<Cycle> Walks::through(uint32_t source, PieceEdge edge, Kind kind, Mask mask,
                                    const Groups& groups, int64_t budget, Window window) {
    const bool rw = edge.relation == Relation::rw;
    const auto found = search(
        edge.target, advanced(kind, 0, edge.relation), mask, groups, budget, window,
        [&](int state, Relation relation) { return advanced(kind, state, relation); },
        [&](uint32_t node, int state) { return node == source && accepted(kind, state, rw); });
    return found ? cycle(*found, source, edge.relation) : std::nullopt;
}

std::optional<Cycle> Walks::back_in_time(uint32_t from, Kind kind, Mask mask,
                                         const Groups& groups, int64_t budget) {
    const int64_t begun = piece_.invoked(from);
    const auto found = search(
        from, 0, mask, groups, budget, {},
        [&](int state, Relation relation) { return advanced(kind, state, relation); },
        [&](uint32_t node, int state) {
            return piece_.is_txn(node) && piece_.completed(node) < begun &&
                   accepted(kind, state, false);
        });
    if (!found) return {};
    const uint32_t source = queue_[*found].node;
    return cycle(*found, source, Relation::realtime);
}

std::optional<Cycle> Walks::any(uint32_t source, PieceEdge edge, Mask mask, const Groups& groups) {
    const auto found = search(
        edge.target, 0, mask, groups, INT64_MAX, {}, [](int, Relation) { return 0; },
        [&](uint32_t node, int) { return node == source; });
    return found ? cycle(*found, source, edge.relation) : std::nullopt;
}

}  // namespace partita::transactions
