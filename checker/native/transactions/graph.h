// What had to come before what: transactions, and what leads from one to another.

#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "columns.h"
#include "links.h"

namespace partita::transactions {

// `onward` leads from a hub to a transaction: its relation is that of the edge to the hub.
enum class Relation : uint8_t { ww, wr, rw, process, realtime, onward };

using Mask = uint8_t;
constexpr Mask bit(Relation relation) { return static_cast<Mask>(1u << static_cast<int>(relation)); }

// Nodes are transactions, then hubs, then barriers. A hub stands for many edges from each of one
// set to each of another. A barrier stands between transactions that had ended and those that
// began only then, so that real time takes no more edges than there are transactions.
class Graph {
   public:
    Graph(const Txns& txns, const Links& links, Limits& limits);

    uint32_t nodes() const { return barriers_from_ + barriers(); }
    uint32_t barriers() const { return static_cast<uint32_t>(begun_.size()) - 1; }
    bool is_txn(uint32_t node) const { return node < txn_count_; }
    size_t edges() const { return targets_.size(); }

    // Gives the successors of a node one by one: `cursor` begins at 0. False: there are no more.
    bool next(uint32_t node, uint32_t& cursor, uint32_t& target, Relation& relation) const {
        if (node >= barriers_from_) {
            relation = Relation::realtime;
            return next_of_barrier(node - barriers_from_, cursor, target);
        }
        const uint32_t at = offsets_[node] + cursor;
        if (at < offsets_[node + 1]) {
            cursor++;
            target = targets_[at] & target_mask;
            relation = static_cast<Relation>(targets_[at] >> relation_shift);
            return true;
        }
        if (at > offsets_[node + 1] || node >= txn_count_ || barrier_after_[node] == none) {
            return false;
        }
        cursor++;
        target = barriers_from_ + barrier_after_[node];
        relation = Relation::realtime;
        return true;
    }

   private:
    static constexpr uint32_t relation_shift = 29;
    static constexpr uint32_t target_mask = (1u << relation_shift) - 1;

    struct Edge {
        uint32_t source, target;  // with the relation
    };

    void add(uint32_t source, uint32_t target, Relation relation) {
        edges_.push_back({source, target | static_cast<uint32_t>(relation) << relation_shift});
    }

    bool next_of_barrier(uint32_t barrier, uint32_t& cursor, uint32_t& target) const {
        if (cursor == 0) {
            cursor = 1;
            if (barrier + 1 < barriers()) {
                target = barriers_from_ + barrier + 1;
                return true;
            }
        }
        while (begun_[barrier] + cursor - 1 < begun_[barrier + 1]) {
            target = begun_[barrier] + cursor++ - 1;
            if (committed_[target]) return true;
        }
        return false;
    }

    void order_values(const Txns& txns, const Links& links, Limits& limits);
    void order_readers(const Txns& txns, const Links& links, Limits& limits);
    void connect(uint32_t source, Relation relation, Range range);
    uint32_t hub_of(Range range);
    void order_processes(const Txns& txns);
    void order_in_time(const Txns& txns);
    void store();

    const uint8_t* committed_;
    uint32_t txn_count_;
    uint32_t barriers_from_ = 0;
    std::vector<uint32_t> offsets_, targets_;
    std::vector<uint32_t> barrier_after_;  // by transaction
    std::vector<uint32_t> begun_;  // by barrier: the first transaction that began behind it

    // While the graph is made: its edges, and the hubs of ranges with several links.
    struct Hub {
        uint32_t node;
        uint32_t direct = 0;  // sources that are among the targets, and so go around the hub
    };
    const Txns* made_of_ = nullptr;
    const Links* made_by_ = nullptr;
    std::vector<Edge> edges_;
    std::unordered_map<uint32_t, Hub> hubs_;  // by the first link of a range
};

}  // namespace partita::transactions
