// Strongly connected components, by Tarjan's algorithm without recursion.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "columns.h"

namespace partita::transactions {

// Finds components of two nodes or more. The tables are kept, so that many small graphs take no
// longer than one of their size.
class Components {
   public:
    // `next(node, cursor, target)` gives the successors of a node one by one, as `Graph::next`.
    // `visit(begin, end)` gets the nodes of each component of two or more.
    template <class Next, class Visit>
    void find(uint32_t nodes, Next next, Visit visit, Limits& limits) {
        if (states_.size() < nodes) states_.resize(nodes);
        std::fill(states_.begin(), states_.begin() + nodes, State{});
        order_ = 0;
        for (uint32_t root = 0; root < nodes; root++) {
            if (states_[root].order == 0) search(root, next, visit, limits);
        }
    }

   private:
    struct State {
        uint32_t order = 0;  // 0: not visited
        uint32_t low = 0;    // none: it is in a component that is complete
    };
    struct Call {
        uint32_t node, cursor;
    };

    void enter(uint32_t node) {
        ++order_;
        states_[node] = {order_, order_};
        open_.push_back(node);
        calls_.push_back({node, 0});
    }

    template <class Next, class Visit>
    void search(uint32_t root, Next& next, Visit& visit, Limits& limits) {
        enter(root);
        while (!calls_.empty()) {
            limits.poll();
            Call& call = calls_.back();
            const uint32_t node = call.node;
            uint32_t target = 0;
            if (next(node, call.cursor, target)) {
                if (states_[target].order == 0) {
                    enter(target);
                } else if (states_[target].low != none) {
                    states_[node].low = std::min(states_[node].low, states_[target].order);
                }
                continue;
            }
            calls_.pop_back();
            const State state = states_[node];
            if (!calls_.empty()) {
                uint32_t& low = states_[calls_.back().node].low;
                low = std::min(low, state.low);
            }
            if (state.low == state.order) close(node, visit);
        }
    }

    template <class Visit>
    void close(uint32_t node, Visit& visit) {
        size_t begin = open_.size();
        do states_[open_[--begin]].low = none;
        while (open_[begin] != node);
        if (open_.size() - begin > 1) visit(open_.data() + begin, open_.data() + open_.size());
        open_.resize(begin);
    }

    std::vector<State> states_;
    std::vector<uint32_t> open_;
    std::vector<Call> calls_;
    uint32_t order_ = 0;
};

}  // namespace partita::transactions
