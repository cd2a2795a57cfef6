#include "cycles.h"

#include <algorithm>

#include "starts.h"
#include "walks.h"

namespace partita::transactions {
namespace {

constexpr Mask ww = bit(Relation::ww), wr = bit(Relation::wr), rw = bit(Relation::rw);
constexpr std::array<Mask, 4> model_masks{ww, ww | wr, ww | wr | rw, ww | wr | rw};
constexpr size_t layered_model = 2, full_model = 3;
constexpr std::array<Mask, orders> order_masks{0, bit(Relation::process), bit(Relation::realtime)};

constexpr int64_t tries[] = {200, 5'000, 200'000};  // edge visits for one start
constexpr int enough = 16;                          // of cycles found, of which the best is taken
constexpr size_t examples_max = 10;

size_t model_of(Kind kind) {
    switch (kind) {
        case Kind::g0: return 0;
        case Kind::g1c: return 1;
        case Kind::g2: return full_model;
        default: return layered_model;
    }
}

// A search for the best cycle of a kind in a group, from several starts.
struct Search {
    const Kind kind;
    const Groups& groups;
    const std::vector<Start>& starts;
    const int64_t budget;  // the visits of all searches after which no other one begins
    const uint32_t* place = nullptr;  // if only what lies between the ends of a start is looked at
    bool was_spent = false;           // a budget, so that there may be more
    std::optional<Cycle> best, walk;

    Window window(const Start& start) const {
        return place == nullptr ? Window{} : Window{place, place[start.source]};
    }
};

// How good an example is: the shorter the better, then the closer in time, then the earlier.
struct Worth {
    size_t length;
    int64_t span;
    uint32_t first;
    auto operator<=>(const Worth&) const = default;
};

class Finder {
   public:
    Finder(const Graph& graph, const Txns& txns, Limits& limits)
        : graph_(graph), txns_(txns), limits_(limits), piece_(graph, txns), walks_(piece_, limits) {}

    Cycles find() {
        try {
            look_at_all();
        } catch (const Stopped& stopped) {
            cycles_.stopped = stopped.reason;
        }
        for (auto& by_order : cycles_.examples) {
            for (auto& examples : by_order) keep_best(examples);
        }
        cycles_.visits = walks_.visits;
        return std::move(cycles_);
    }

   private:
    // Cycles of this piece, by where one of their nodes is.
    struct Known {
        Kind kind;
        Order order;
        uint32_t node;
    };

    void look_at_all() {
        std::vector<uint32_t> members, ends;
        const auto next = [&](uint32_t node, uint32_t& cursor, uint32_t& target) {
            Relation relation{};
            return graph_.next(node, cursor, target, relation);
        };
        const auto visit = [&](const uint32_t* begin, const uint32_t* end) {
            members.insert(members.end(), begin, end);
            ends.push_back(static_cast<uint32_t>(members.size()));
        };
        components_.find(graph_.nodes(), next, visit, limits_);
        uint32_t begin = 0;
        for (const uint32_t end : ends) {
            cycles_.components++;
            cycles_.largest = std::max<int64_t>(cycles_.largest, end - begin);
            piece_.take(members.data() + begin, members.data() + end);
            look_at_piece();
            begin = end;
        }
    }

    void look_at_piece() {
        known_.clear();
        for (size_t order = 0; order < orders; order++) {
            order_ = static_cast<Order>(order);
            judge();
            if (!groups_[full_model].any()) continue;
            for (size_t kind = 0; kind < kinds; kind++) {
                const size_t model = model_of(static_cast<Kind>(kind));
                if (groups_[model].any()) look_for(static_cast<Kind>(kind));
            }
            for (size_t model = 0; model < groups_.size(); model++) make_sure(model);
        }
    }

    Mask mask_of(size_t model) const {
        return model_masks[model] | order_masks[static_cast<size_t>(order_)] | bit(Relation::onward);
    }

    void judge() {
        groups_ = {};
        for (size_t model = groups_.size(); model-- > 0;) {
            // What has no cycle has none with fewer relations.
            if (model == layered_model ? !groups_[full_model].any()
                                       : model < layered_model && !groups_[model + 1].any()) {
                continue;
            }
            groups_[model] = groups_of(piece_, mask_of(model), model == layered_model, components_,
                                       limits_);
            cycles_.violated[model][static_cast<size_t>(order_)] |= groups_[model].any();
        }
    }

    // Whether a cycle is known in a group that contradicts no more than this kind and order.
    bool is_known(const Groups& groups, uint32_t group, Kind kind, Order before) const {
        return std::any_of(known_.begin(), known_.end(), [&](const Known& each) {
            return each.kind <= kind && each.order < before && groups.of[each.node] == group;
        });
    }

    // Looks for one cycle of a kind in each group of its relations. Those that need real time are
    // of interest only where there is none that needs less.
    void look_for(Kind kind) {
        const Groups& groups = groups_[kind <= Kind::g1c ? model_of(kind) : full_model];
        std::vector<uint8_t> idle(groups.count, 0);
        for (uint32_t group = 0; group < groups.count && order_ != Order::none; group++) {
            idle[group] = is_known(groups, group, kind, order_);
        }
        const Starts starts = starts_of(piece_, kind, order_, mask_of(full_model), groups, idle);
        const int64_t budget =
            walks_.visits + std::max<int64_t>(10'000'000, 20 * int64_t(piece_.size() + piece_.edges.size()));
        for (uint32_t group = 0; group < groups.count; group++) {
            if (!idle[group]) look_in_group(kind, groups, group, starts, budget);
        }
    }

    // Where only rw leads back in an order, a cycle that has one such edge lies between its ends.
    // That is soon searched, and all there is to search for a cycle with one rw.
    void look_in_group(Kind kind, const Groups& groups, uint32_t group, const Starts& starts,
                       int64_t budget) {
        Search search{kind, groups, starts.of_group[group], budget};
        if (starts.in_order[group]) {
            search.place = starts.place.data();
            look_through(search);
            search.place = nullptr;
        }
        const bool is_over = starts.in_order[group] && kind == Kind::g_single;
        if (!search.best && !is_over) look_through(search);
        if (search.best) {
            keep(std::move(*search.best));
        } else if (search.was_spent) {
            cycles_.cut[static_cast<size_t>(kind)][static_cast<size_t>(order_)] = true;
        } else if (search.walk && kind == Kind::g_nonadjacent) {
            walk_ = std::move(search.walk);
        }
    }

    void look_through(Search& search) {
        for (const int64_t tried : tries) {
            int found = 0;
            search.was_spent = false;
            for (const Start& start : search.starts) {
                if (walks_.visits > search.budget) search.was_spent = true;
                if (walks_.visits > search.budget || found == enough) break;
                walks_.spent = false;
                std::optional<Cycle> cycle = tried_from(start, search, tried);
                search.was_spent |= walks_.spent;
                if (!cycle || cycle->kind() != search.kind || cycle->order() != order_) continue;
                if (!cycle->is_simple()) {
                    if (!search.walk) search.walk = std::move(cycle);
                    continue;
                }
                found++;
                auto& best = search.best;
                if (!best || worth(*cycle) < worth(*best)) best = std::move(cycle);
                if (best->txns.size() == 2) break;
            }
            if (search.best || !search.was_spent) break;
        }
    }

    std::optional<Cycle> tried_from(const Start& start, const Search& search, int64_t budget) {
        const Kind kind = search.kind;
        const Groups& groups = search.groups;
        const size_t model = model_of(kind);
        if (order_ != Order::realtime) {
            return walks_.through(start.source, start.edge, kind, mask_of(model), groups, budget,
                                  search.window(start));
        }
        if (start.edge.relation == Relation::realtime) {
            const Mask data = model_masks[model] | bit(Relation::onward);
            return walks_.back_in_time(start.source, kind, data, groups, budget);
        }
        walks_.visits++;
        return walks_.closed({start.source, start.edge.target},
                             {start.edge.relation, Relation::realtime});
    }

    // Where relations have a cycle for sure, one is shown, however long it takes: whatever its
    // name, it contradicts the model.
    void make_sure(size_t model) {
        const Groups& groups = groups_[model == layered_model ? full_model : model];
        if (!groups_[model].any()) return;
        const Kind weakest = std::array{Kind::g0, Kind::g1c, Kind::g_nonadjacent, Kind::g2}[model];
        std::vector<uint8_t> is_shown(groups.count, 0);
        for (const Known& each : known_) {
            const uint32_t group = groups.of[each.node];
            if (group != none && each.kind <= weakest && each.order <= order_) is_shown[group] = 1;
        }
        if (model == layered_model) {
            const bool shown = std::find(is_shown.begin(), is_shown.end(), 1) != is_shown.end();
            if (!shown) show_layered();
            return;
        }
        for (uint32_t node = 0; node < piece_.size(); node++) {
            const uint32_t group = groups.of[node];
            if (group == none || is_shown[group]) continue;
            for (uint32_t at = piece_.offsets[node]; at < piece_.offsets[node + 1]; at++) {
                const PieceEdge edge = piece_.edges[at];
                if (!(mask_of(model) & bit(edge.relation)) || groups.of[edge.target] != group) continue;
                auto cycle = walks_.any(node, edge, mask_of(model), groups);
                if (cycle) keep(std::move(*cycle));
                is_shown[group] = 1;
                break;
            }
        }
    }

    void show_layered() {
        if (!walk_) {
            const Groups& groups = groups_[full_model];
            for (uint32_t node = 0; node < piece_.size() && !walk_; node++) {
                for (uint32_t at = piece_.offsets[node]; at < piece_.offsets[node + 1]; at++) {
                    const PieceEdge edge = piece_.edges[at];
                    if (edge.relation != Relation::rw || groups.of[node] == none ||
                        groups.of[edge.target] != groups.of[node] ||
                        groups_[layered_model].of[edge.target] == none) {
                        continue;
                    }
                    walk_ = walks_.through(node, edge, Kind::g_nonadjacent, mask_of(layered_model),
                                           groups, INT64_MAX);
                    if (walk_) break;
                }
            }
        }
        if (walk_) keep(std::move(*walk_));
        walk_.reset();
    }

    void keep(Cycle cycle) {
        const auto kind = static_cast<size_t>(cycle.kind());
        const auto order = static_cast<size_t>(cycle.order());
        const auto node = std::lower_bound(piece_.nodes.begin(), piece_.nodes.end(), cycle.txns[0]);
        known_.push_back({cycle.kind(), cycle.order(),
                          static_cast<uint32_t>(node - piece_.nodes.begin())});
        cycles_.counts[kind][order]++;
        auto& examples = cycles_.examples[kind][order];
        examples.push_back(std::move(cycle));
        if (examples.size() > 4 * examples_max) keep_best(examples);
    }

    void keep_best(std::vector<Cycle>& examples) const {
        std::sort(examples.begin(), examples.end(),
                  [&](const Cycle& a, const Cycle& b) { return worth(a) < worth(b); });
        if (examples.size() > examples_max) examples.resize(examples_max);
    }

    Worth worth(const Cycle& cycle) const {
        const auto [first, last] = std::minmax_element(cycle.txns.begin(), cycle.txns.end());
        const auto& invoked = txns_.given.invoked;
        return {cycle.txns.size(), invoked[*last] - invoked[*first], *first};
    }

    const Graph& graph_;
    const Txns& txns_;
    Limits& limits_;
    Components components_;
    Piece piece_;
    Walks walks_;
    Cycles cycles_;
    Order order_ = Order::none;
    std::array<Groups, 4> groups_;  // by model
    std::vector<Known> known_;
    std::optional<Cycle> walk_;  // one that passes a transaction twice
};

}  // namespace

Kind Cycle::kind() const {
    size_t rws = 0;
    bool wrs = false, adjacent = false;
    for (size_t i = 0; i < relations.size(); i++) {
        const Relation next = relations[(i + 1) % relations.size()];
        rws += relations[i] == Relation::rw;
        wrs |= relations[i] == Relation::wr;
        adjacent |= relations[i] == Relation::rw && next == Relation::rw;
    }
    if (rws == 0) return wrs ? Kind::g1c : Kind::g0;
    if (rws == 1) return Kind::g_single;
    return adjacent ? Kind::g2 : Kind::g_nonadjacent;
}

Order Cycle::order() const {
    const auto has = [&](Relation relation) {
        return std::find(relations.begin(), relations.end(), relation) != relations.end();
    };
    return has(Relation::realtime) ? Order::realtime
           : has(Relation::process) ? Order::process
                                    : Order::none;
}

bool Cycle::is_simple() const {
    std::vector<uint32_t> sorted(txns);
    std::sort(sorted.begin(), sorted.end());
    return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

Cycles find_cycles(const Graph& graph, const Txns& txns, Limits& limits) {
    return Finder(graph, txns, limits).find();
}

}  // namespace partita::transactions
