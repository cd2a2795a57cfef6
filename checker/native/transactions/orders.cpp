#include "orders.h"

#include <algorithm>

namespace partita::transactions {
namespace {

// The micro-operation of a transaction that reads a list of so many elements.
uint32_t read_of(const Txns& txns, uint32_t txn, uint32_t key, uint32_t length) {
    for (uint32_t i = txns.first[txn]; i < txns.first[txn + 1]; i++) {
        const MicroOp& op = txns.ops[i];
        if (op.act == Act::read && op.key == key && op.length == length && op.list == none) return i;
    }
    return none;
}

// Where some list of a key is no beginning of what was taken for the longest: takes the longest of
// all, and keeps those that diverge from it as lists of their own.
class Divergence {
   public:
    explicit Divergence(Txns& txns) : txns_(txns), longest_(txns.keys.size(), none) {}

    void settle() {
        each_read([&](uint32_t op) {
            const MicroOp& read = txns_.ops[op];
            uint32_t& longest = longest_[read.key];
            const auto known = longest == none ? txns_.keys[read.key].order.size()
                                               : txns_.ops[longest].length;
            if (read.list != none && read.length > known) longest = op;
        });
        prepare();
        each_read([&](uint32_t op) { place(txns_.ops[op]); });
        for (uint32_t key = 0; key < txns_.keys.size(); key++) {
            if (longest_[key] == none) continue;
            txns_.keys[key].order = std::move(orders_[key]);
            txns_.keys[key].longest = txns_.txn_of[longest_[key]];
        }
    }

   private:
    template <class Visit>
    void each_read(Visit visit) {
        for (uint32_t op = 0; op < txns_.ops.size(); op++) {
            const MicroOp& read = txns_.ops[op];
            if (read.act == Act::read && txns_.keys[read.key].diverges) visit(op);
        }
    }

    void prepare() {
        orders_.resize(txns_.keys.size());
        common_.resize(txns_.keys.size());
        for (uint32_t key = 0; key < txns_.keys.size(); key++) {
            if (longest_[key] == none) continue;
            const MicroOp& read = txns_.ops[longest_[key]];
            const auto begin = txns_.lists.begin() + read.list;
            orders_[key].assign(begin, begin + read.length);
            const auto& old = txns_.keys[key].order;
            const auto differs = std::mismatch(old.begin(), old.end(), orders_[key].begin());
            common_[key] = static_cast<uint32_t>(differs.first - old.begin());
        }
    }

    void place(MicroOp& read) {
        const bool replaced = longest_[read.key] != none;
        const auto& old = txns_.keys[read.key].order;
        const auto& order = replaced ? orders_[read.key] : old;
        if (read.list != none) {
            const auto begin = txns_.lists.begin() + read.list;
            if (read.length <= order.size() && std::equal(begin, begin + read.length, order.begin())) {
                read.list = none;
            }
        } else if (replaced && read.length > common_[read.key]) {
            read.list = static_cast<uint32_t>(txns_.lists.size());
            txns_.lists.insert(txns_.lists.end(), old.begin(), old.begin() + read.length);
        }
    }

    Txns& txns_;
    std::vector<uint32_t> longest_;  // by key: the read of another list that is longer
    std::vector<std::vector<uint32_t>> orders_;
    std::vector<uint32_t> common_;  // how far the old order and the new one agree
};

// Gives the elements of a key their places, and looks for what is wrong with the order itself.
void look_at_order(Txns& txns, uint32_t number, Found& found) {
    Key& key = txns.keys[number];
    uint32_t aborted = none;
    for (uint32_t place = 0; place < key.order.size(); place++) {
        const uint32_t element = key.order[place];
        Element& known = txns.elements[element];
        if (known.place != none) {
            const auto length = static_cast<uint32_t>(key.order.size());
            found.add(Anomaly::duplicate_elements,
                      {.txns = {key.longest},
                       .key = number,
                       .element = element,
                       .op = read_of(txns, key.longest, number, length)});
            continue;
        }
        known.place = place;
        const uint32_t writer = txns.writer_of(element);
        if (writer == none) continue;
        if (txns.given.outcome[writer] == fail) {
            aborted = element;
        } else if (aborted != none && txns.given.outcome[writer] == ok) {
            found.add(Anomaly::dirty_update, {.txns = {txns.writer_of(aborted), writer},
                                              .key = number,
                                              .element = aborted,
                                              .other = element});
            aborted = none;
        }
    }
}

// What ended without an answer was committed exactly if something that it wrote was seen.
void commit(Txns& txns, const Versions& versions) {
    txns.committed.assign(txns.count(), 0);
    for (uint32_t txn = 0; txn < txns.count(); txn++) {
        txns.committed[txn] = txns.given.outcome[txn] == ok;
    }
    for (uint32_t i = 0; i < txns.elements.size(); i++) {
        const Element& element = txns.elements[i];
        if (element.writer == none || (!element.is_read && versions.of(i) < 0)) continue;
        const uint32_t txn = txns.txn_of[element.writer];
        if (txns.given.outcome[txn] == info) txns.committed[txn] = 1;
    }
}

// A transaction's own appends stand in the order in which it made them, and all of them stand
// before whichever of them was read.
void look_at_own_order(const Txns& txns, uint32_t txn, Found& found) {
    if (!txns.committed[txn]) return;
    for (uint32_t i = txns.first[txn]; i < txns.first[txn + 1]; i++) {
        const MicroOp& op = txns.ops[i];
        if (op.act != Act::append || txns.elements[op.element].is_last) continue;
        uint32_t next = i + 1;
        while (txns.ops[next].act != Act::append || txns.ops[next].key != op.key) next++;
        const uint32_t later = txns.ops[next].element;
        if (txns.elements[later].place < txns.elements[op.element].place) {
            found.add(Anomaly::incompatible_order, {.txns = {txn, txns.keys[op.key].longest},
                                                    .key = op.key,
                                                    .element = op.element,
                                                    .other = later,
                                                    .op = i,
                                                    .fact = "within"});
        }
    }
}

}  // namespace

void settle_orders(Txns& txns, const Versions& versions, Found& found, Limits& limits) {
    if (std::any_of(txns.keys.begin(), txns.keys.end(), [](const Key& k) { return k.diverges; })) {
        Divergence(txns).settle();
    }
    for (uint32_t key = 0; key < txns.keys.size(); key++) {
        limits.poll();
        look_at_order(txns, key, found);
    }
    commit(txns, versions);
    for (uint32_t txn = 0; txn < txns.count(); txn++) look_at_own_order(txns, txn, found);
}

}  // namespace partita::transactions
