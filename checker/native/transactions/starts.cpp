#include "starts.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>

namespace partita::transactions {
namespace {

Relation distinctive(Kind kind) {
    return kind == Kind::g0 ? Relation::ww : kind == Kind::g1c ? Relation::wr : Relation::rw;
}

// Puts the nodes of each group in an order that all edges but rw respect, as close to time as these
// allow. Then each cycle has an rw edge that leads back in it, and there are few such edges where a
// history is almost right. A group in which other edges have a cycle has no order.
class Sequence {
   public:
    Sequence(const Piece& piece, Mask mask, const Groups& groups)
        : piece_(piece), groups_(groups), mask_(mask & static_cast<Mask>(~bit(Relation::rw))) {
        count();
        for (uint32_t node = 0; node < piece.size(); node++) {
            if (groups.of[node] != none && before_[node] == 0) ready(node);
        }
        uint32_t next = 0;
        while (!ready_.empty()) {
            const uint32_t node = ready_.top().second;
            ready_.pop();
            place[node] = next++;
            each_after(node, [&](uint32_t target) {
                if (--before_[target] == 0) ready(target);
            });
        }
        in_order.assign(groups.count, 1);
        for (uint32_t node = 0; node < piece.size(); node++) {
            if (groups.of[node] != none && place[node] == none) in_order[groups.of[node]] = 0;
        }
    }

    // Whether a cycle may need to begin with an rw edge.
    bool leads_back(uint32_t source, uint32_t target) const {
        return !in_order[groups_.of[source]] || place[target] < place[source];
    }

    std::vector<uint32_t> place;  // by node
    std::vector<uint8_t> in_order;  // by group

   private:
    template <class Visit>
    void each_after(uint32_t node, Visit visit) const {
        for (uint32_t at = piece_.offsets[node]; at < piece_.offsets[node + 1]; at++) {
            const PieceEdge edge = piece_.edges[at];
            if ((mask_ & bit(edge.relation)) && groups_.of[edge.target] == groups_.of[node]) {
                visit(edge.target);
            }
        }
    }

    void count() {
        before_.assign(piece_.size(), 0);
        place.assign(piece_.size(), none);
        for (uint32_t node = 0; node < piece_.size(); node++) {
            if (groups_.of[node] != none) each_after(node, [&](uint32_t to) { before_[to]++; });
        }
    }

    // Hubs wait for nobody; of transactions the one comes first that was invoked first.
    void ready(uint32_t node) { ready_.emplace(piece_.is_txn(node) ? node + 1 : 0, node); }

    using Waiting = std::pair<uint32_t, uint32_t>;
    const Piece& piece_;
    const Groups& groups_;
    const Mask mask_;
    std::vector<uint32_t> before_;  // by node: how many must come before it
    std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> ready_;
};

// Whether what an edge leads to had ended before what it begins at was invoked.
bool goes_back(const Piece& piece, uint32_t source, uint32_t target) {
    return piece.is_txn(source) && piece.is_txn(target) &&
           piece.completed(target) < piece.invoked(source);
}

int64_t distance(const Piece& piece, Order order, uint32_t source, uint32_t target) {
    if (!piece.is_txn(source) || !piece.is_txn(target)) return 0;
    const int64_t between = piece.invoked(source) - piece.invoked(target);
    // What is known to be a cycle comes before all that has to be searched for.
    if (order == Order::realtime) return between - INT64_MAX / 2;
    return between < 0 ? -between : between;
}

}  // namespace

Starts starts_of(const Piece& piece, Kind kind, Order order, Mask mask, const Groups& groups,
                 const std::vector<uint8_t>& idle) {
    Starts starts;
    starts.of_group.resize(groups.count);
    const Relation relation = distinctive(kind);
    const bool in_time = order == Order::realtime;
    const bool two_rw = kind == Kind::g_nonadjacent || kind == Kind::g2;
    std::optional<Sequence> sequence;
    if (relation == Relation::rw && !in_time) sequence.emplace(piece, mask, groups);
    for (uint32_t node = 0; node < piece.size(); node++) {
        const uint32_t group = groups.of[node];
        if (group == none || idle[group]) continue;
        if (in_time && piece.is_txn(node)) {
            starts.of_group[group].push_back({0, node, {node, Relation::realtime}});
            if (two_rw) continue;
        }
        for (uint32_t at = piece.offsets[node]; at < piece.offsets[node + 1]; at++) {
            const PieceEdge edge = piece.edges[at];
            if (edge.relation != relation || groups.of[edge.target] != group) continue;
            if (in_time && !goes_back(piece, node, edge.target)) continue;
            if (sequence && !sequence->leads_back(node, edge.target)) continue;
            starts.of_group[group].push_back(
                {distance(piece, order, node, edge.target), node, edge});
        }
    }
    for (auto& each : starts.of_group) {
        std::stable_sort(each.begin(), each.end(),
                         [](const Start& a, const Start& b) { return a.distance < b.distance; });
    }
    starts.in_order.assign(groups.count, 0);
    if (sequence) {
        starts.place = std::move(sequence->place);
        starts.in_order = std::move(sequence->in_order);
    }
    return starts;
}

}  // namespace partita::transactions
