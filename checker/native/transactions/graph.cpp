#include "graph.h"

#include <algorithm>

namespace partita::transactions {

Graph::Graph(const Txns& txns, const Links& links, Limits& limits)
    : committed_(txns.committed.data()),
      txn_count_(txns.count()),
      made_of_(&txns),
      made_by_(&links) {
    limits.look_before_taking(sizeof(Edge) * (links.all.size() + txns.ops.size() + txns.count()));
    edges_.reserve(links.all.size() + txns.ops.size() + txns.count());
    order_values(txns, links, limits);
    order_readers(txns, links, limits);
    order_processes(txns);
    store();
    order_in_time(txns);
    made_of_ = nullptr;
    made_by_ = nullptr;
}

// ww: from whoever wrote a value to whoever wrote the next one.
void Graph::order_values(const Txns& txns, const Links& links, Limits& limits) {
    for (uint32_t i = 0; i < links.all.size();) {
        limits.poll();
        const Link& link = links.all[i];
        Range range{i, i + 1};
        while (range.end < links.all.size() && links.all[range.end].key == link.key &&
               links.all[range.end].before == link.before) {
            range.end++;
        }
        i = range.end;
        if (link.before == none || !txns.is_committed(link.before)) continue;
        connect(txns.writer_of(link.before), Relation::ww, range);
    }
}

// wr: to whoever read a value first of all on its key; rw: from there to whoever wrote the next.
void Graph::order_readers(const Txns& txns, const Links& links, Limits& limits) {
    std::vector<uint32_t> touched(txns.keys.size(), none);
    for (uint32_t txn = 0; txn < txns.count(); txn++) {
        limits.poll();
        for (uint32_t i = txns.first[txn]; i < txns.first[txn + 1]; i++) {
            const MicroOp& op = txns.ops[i];
            const bool is_first = touched[op.key] != txn;
            touched[op.key] = txn;
            if (!is_first || op.act != Act::read || !committed_[txn]) continue;
            if (op.element != none && txns.is_committed(op.element)) {
                const uint32_t writer = txns.writer_of(op.element);
                if (writer != txn) add(writer, txn, Relation::wr);
            }
            if (op.list != none) continue;  // it contradicts the order, so nothing is next
            const Range range = links.after(op.key, op.element);
            if (range.size() > 0) connect(txn, Relation::rw, range);
        }
    }
}

// Leads from a transaction to all that wrote what a range of links leads to. Where these are
// several, a hub stands for them. A source that is one of them must not reach itself by the hub:
// the first two such sources get edges of their own, and two are a lost update already.
void Graph::connect(uint32_t source, Relation relation, Range range) {
    const Txns& txns = *made_of_;
    const auto& links = made_by_->all;
    if (range.size() == 1) {
        const uint32_t target = txns.writer_of(links[range.begin].after);
        if (target != source) add(source, target, relation);
        return;
    }
    const auto is_among = [&](uint32_t element) {
        const auto begin = links.begin() + range.begin, end = links.begin() + range.end;
        const auto found = std::lower_bound(begin, end, element, [](const Link& link, uint32_t e) {
            return link.after < e;
        });
        return found != end && found->after == element;
    };
    bool goes_around = false;
    for (uint32_t i = txns.first[source]; i < txns.first[source + 1] && !goes_around; i++) {
        const MicroOp& op = txns.ops[i];
        const bool writes = op.act == Act::append || op.act == Act::write;
        goes_around = writes && op.key == links[range.begin].key && is_among(op.element);
    }
    const uint32_t hub = hub_of(range);
    if (!goes_around) return add(source, hub, relation);
    if (relation == Relation::rw && ++hubs_.at(range.begin).direct > 2) return;
    for (uint32_t i = range.begin; i < range.end; i++) {
        const uint32_t target = txns.writer_of(links[i].after);
        if (target != source) add(source, target, relation);
    }
}

uint32_t Graph::hub_of(Range range) {
    const auto node = txn_count_ + static_cast<uint32_t>(hubs_.size());
    const auto [hub, is_new] = hubs_.try_emplace(range.begin, Hub{node});
    for (uint32_t i = range.begin; is_new && i < range.end; i++) {
        add(node, made_of_->writer_of(made_by_->all[i].after), Relation::onward);
    }
    return hub->second.node;
}

// A process waits for one transaction before it begins the next, unless nobody knows its end.
void Graph::order_processes(const Txns& txns) {
    constexpr int64_t near = 1 << 20;
    std::vector<uint32_t> last;
    std::unordered_map<int64_t, uint32_t> last_far;
    for (uint32_t txn = 0; txn < txns.count(); txn++) {
        if (!committed_[txn]) continue;
        const int64_t process = txns.given.process[txn];
        const bool is_near = process >= 0 && process < near;
        if (is_near && static_cast<size_t>(process) >= last.size()) {
            last.resize(static_cast<size_t>(process) + 1, none);
        }
        uint32_t& before = is_near ? last[static_cast<size_t>(process)]
                                   : last_far.try_emplace(process, none).first->second;
        if (before != none) add(before, txn, Relation::process);
        if (txns.given.outcome[txn] == ok) before = txn;
    }
}

// Sorts the edges by their sources.
void Graph::store() {
    barriers_from_ = txn_count_ + static_cast<uint32_t>(hubs_.size());
    offsets_.assign(barriers_from_ + 1, 0);
    for (const Edge& edge : edges_) offsets_[edge.source + 1]++;
    for (uint32_t i = 0; i < barriers_from_; i++) offsets_[i + 1] += offsets_[i];
    targets_.resize(edges_.size());
    std::vector<uint32_t> at(offsets_.begin(), offsets_.end() - 1);
    for (const Edge& edge : edges_) targets_[at[edge.source]++] = edge.target;
    std::vector<Edge>().swap(edges_);
    hubs_.clear();
}

void Graph::order_in_time(const Txns& txns) {
    const Given& given = txns.given;
    barrier_after_.assign(txn_count_, none);
    int64_t last = -1;
    for (uint32_t txn = 0; txn < txn_count_; txn++) {
        if (given.outcome[txn] == ok) last = std::max(last, given.completed[txn]);
    }
    std::vector<uint32_t> ended(static_cast<size_t>(last + 1), none);  // by rank
    for (uint32_t txn = 0; txn < txn_count_; txn++) {
        if (given.outcome[txn] == ok) ended[static_cast<size_t>(given.completed[txn])] = txn;
    }
    uint32_t begun = 0;
    for (size_t rank = 0; rank < ended.size(); rank++) {
        while (begun < txn_count_ && given.invoked[begun] < static_cast<int64_t>(rank)) begun++;
        if (ended[rank] == none) continue;
        if (begun_.empty() || begun_.back() != begun) begun_.push_back(begun);
        barrier_after_[ended[rank]] = static_cast<uint32_t>(begun_.size()) - 1;
    }
    begun_.push_back(txn_count_);
}

}  // namespace partita::transactions
