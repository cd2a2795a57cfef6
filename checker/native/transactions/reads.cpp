// What single reads show, and what two transactions did to each other, without any graph.

#include <algorithm>

#include "orders.h"

namespace partita::transactions {
namespace {

class Reads {
   public:
    Reads(const Txns& txns, Found& found) : txns_(txns), found_(found) {
        for (const Key& key : txns.keys) {
            aborted_.push_back(first_place(key, [&](uint32_t writer) {
                return writer != none && txns.given.outcome[writer] == fail;
            }));
            garbage_.push_back(first_place(key, [](uint32_t writer) { return writer == none; }));
        }
        seen_.assign(txns.keys.size(), {none, none});
    }

    void look_at(uint32_t txn) {
        txn_ = txn;
        const bool is_ok = txns_.given.outcome[txn] == ok;
        for (uint32_t i = txns_.first[txn]; i < txns_.first[txn + 1]; i++) {
            const MicroOp& op = txns_.ops[i];
            if (op.act == Act::read) {
                external(i);
                internal(i);
            } else if (is_ok && (op.act == Act::append || op.act == Act::write)) {
                future(i);
            }
            seen_[op.key] = {txn, i};
        }
    }

   private:
    template <class Is>
    uint32_t first_place(const Key& key, Is is) const {
        const auto at = std::find_if(key.order.begin(), key.order.end(),
                                     [&](uint32_t e) { return is(txns_.writer_of(e)); });
        return at == key.order.end() ? none : static_cast<uint32_t>(at - key.order.begin());
    }

    void external(uint32_t i) {
        const MicroOp& op = txns_.ops[i];
        if (txns_.keys[op.key].shape == Shape::value) {
            if (op.element != none) known(i, op.element);
        } else if (op.list != none) {
            diverging(i);
        } else {
            const auto& order = txns_.keys[op.key].order;
            if (aborted_[op.key] < op.length) aborted_read(i, order[aborted_[op.key]]);
            if (garbage_[op.key] < op.length) garbage_read(i, order[garbage_[op.key]]);
        }
        if (op.element == none) return;
        const uint32_t writer = txns_.writer_of(op.element);
        if (writer != none && writer != txn_ && !txns_.elements[op.element].is_last) {
            found_.add(Anomaly::intermediate_read,
                       {.txns = {writer, txn_}, .key = op.key, .element = op.element, .op = i});
        }
    }

    void known(uint32_t i, uint32_t element) {
        const uint32_t writer = txns_.writer_of(element);
        if (writer == none) {
            garbage_read(i, element);
        } else if (txns_.given.outcome[writer] == fail) {
            aborted_read(i, element);
        }
    }

    void aborted_read(uint32_t i, uint32_t element) {
        found_.add(Anomaly::aborted_read, {.txns = {txns_.writer_of(element), txn_},
                                           .key = txns_.ops[i].key,
                                           .element = element,
                                           .op = i});
    }

    void garbage_read(uint32_t i, uint32_t element) {
        found_.add(Anomaly::garbage_read,
                   {.txns = {txn_}, .key = txns_.ops[i].key, .element = element, .op = i});
    }

    void diverging(uint32_t i) {
        const MicroOp& op = txns_.ops[i];
        const Key& key = txns_.keys[op.key];
        std::vector<uint32_t> list(txns_.lists.begin() + op.list,
                                   txns_.lists.begin() + op.list + op.length);
        uint32_t place = 0;
        while (place < key.order.size() && list[place] == key.order[place]) place++;
        found_.add(Anomaly::incompatible_order, {.txns = {txn_, key.longest},
                                                 .key = op.key,
                                                 .element = list[place],
                                                 .other = key.order[place],
                                                 .op = i,
                                                 .fact = "between"});
        std::sort(list.begin(), list.end());
        const auto twice = std::adjacent_find(list.begin(), list.end());
        if (twice != list.end()) {
            found_.add(Anomaly::duplicate_elements,
                       {.txns = {txn_}, .key = op.key, .element = *twice, .op = i});
        }
        for (const uint32_t element : list) known(i, element);
    }

    // A read shows what the transaction read there before, and what it wrote since.
    void internal(uint32_t i) {
        const MicroOp& op = txns_.ops[i];
        if (seen_[op.key].first != txn_) return;
        if (agrees(op, seen_[op.key].second)) return;
        found_.add(Anomaly::internal, {.txns = {txn_}, .key = op.key, .element = op.element, .op = i});
    }

    bool agrees(const MicroOp& read, uint32_t before) const {
        if (txns_.keys[read.key].shape == Shape::value) {
            const MicroOp& last = txns_.ops[before];
            return last.act == Act::unknown_read || read.element == last.element;
        }
        uint32_t left = read.length;
        for (uint32_t i = before + 1; i-- > txns_.first[txn_];) {
            const MicroOp& op = txns_.ops[i];
            if (op.key != read.key) continue;
            if (op.act == Act::read) return op.length == left && txns_.begins_like(read, op);
            if (left == 0 || txns_.at(read, left - 1) != op.element) return false;
            left--;
        }
        return true;
    }

    // Whether the transaction had read what it wrote only later.
    void future(uint32_t i) {
        const MicroOp& op = txns_.ops[i];
        if (seen_[op.key].first != txn_ || !txns_.elements[op.element].is_read) return;
        for (uint32_t j = i; j-- > txns_.first[txn_];) {
            const MicroOp& read = txns_.ops[j];
            if (read.key != op.key || read.act != Act::read || !holds(read, op.element)) continue;
            found_.add(Anomaly::future_read,
                       {.txns = {txn_}, .key = op.key, .element = op.element, .op = j});
            return;
        }
    }

    bool holds(const MicroOp& read, uint32_t element) const {
        if (txns_.keys[read.key].shape == Shape::value) return read.element == element;
        if (read.list == none) return txns_.elements[element].place < read.length;
        const auto begin = txns_.lists.begin() + read.list;
        return std::find(begin, begin + read.length, element) != begin + read.length;
    }

    const Txns& txns_;
    Found& found_;
    uint32_t txn_ = 0;
    std::vector<uint32_t> aborted_, garbage_;  // by key: the first such place in its order
    std::vector<std::pair<uint32_t, uint32_t>> seen_;  // by key: who touched it last, and how
};

}  // namespace

void look_at_reads(const Txns& txns, Found& found, Limits& limits) {
    Reads reads(txns, found);
    for (uint32_t txn = 0; txn < txns.count(); txn++) {
        limits.poll();
        if (txns.committed[txn]) reads.look_at(txn);
    }
}

}  // namespace partita::transactions
