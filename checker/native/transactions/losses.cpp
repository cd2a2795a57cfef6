#include <algorithm>

#include "orders.h"

namespace partita::transactions {
namespace {

// Two transactions that read the same state of a key first and then both wrote to it.
class LostUpdates {
   public:
    LostUpdates(const Txns& txns, Found& found)
        : txns_(txns),
          found_(found),
          of_element_(txns.elements.size(), none),
          of_nothing_(txns.keys.size(), none),
          touched_(txns.keys.size(), none),
          counted_(txns.keys.size(), none) {}

    void look_at(uint32_t txn) {
        const uint32_t begin = txns_.first[txn], end = txns_.first[txn + 1];
        for (uint32_t i = begin; i < end; i++) {
            const MicroOp& op = txns_.ops[i];
            if (touched_[op.key] != txn) {
                touched_[op.key] = txn;
                read_.resize(txns_.keys.size());
                read_[op.key] = op.act == Act::read ? i : none;
            } else if (op.act != Act::read && op.act != Act::unknown_read &&
                       read_[op.key] != none && counted_[op.key] != txn) {
                counted_[op.key] = txn;
                update(txn, read_[op.key]);
            }
        }
    }

   private:
    void update(uint32_t txn, uint32_t read) {
        const MicroOp& op = txns_.ops[read];
        if (op.list != none) return;
        // Who read what it wrote itself only later did not begin with that state.
        if (op.element != none && txns_.writer_of(op.element) == txn) return;
        uint32_t& other = op.element == none ? of_nothing_[op.key] : of_element_[op.element];
        if (other == none) {
            other = txn;
            return;
        }
        found_.add(Anomaly::lost_update,
                   {.txns = {other, txn}, .key = op.key, .element = op.element, .op = read});
    }

    const Txns& txns_;
    Found& found_;
    std::vector<uint32_t> of_element_, of_nothing_;  // who updated that state first
    std::vector<uint32_t> touched_, counted_, read_;  // by key
};

// The last read of each key that began, for appends that it should show.
std::vector<uint32_t> last_reads(const Txns& txns) {
    std::vector<uint32_t> last(txns.keys.size(), none);
    for (uint32_t op = 0; op < txns.ops.size(); op++) {
        if (txns.ops[op].act == Act::read) last[txns.ops[op].key] = op;
    }
    return last;
}

}  // namespace

void look_for_losses(const Txns& txns, Found& found, Limits& limits) {
    LostUpdates updates(txns, found);
    for (uint32_t txn = 0; txn < txns.count(); txn++) {
        limits.poll();
        if (txns.committed[txn]) updates.look_at(txn);
    }
    const std::vector<uint32_t> last = last_reads(txns);
    for (uint32_t i = 0; i < txns.ops.size(); i++) {
        const MicroOp& op = txns.ops[i];
        const uint32_t txn = txns.txn_of[i];
        if (op.act != Act::append || txns.given.outcome[txn] != ok) continue;
        if (txns.elements[op.element].is_read || last[op.key] == none) continue;
        const uint32_t reader = txns.txn_of[last[op.key]];
        if (txns.given.invoked[reader] <= txns.given.completed[txn]) continue;
        found.add(Anomaly::lost_append, {.txns = {txn, reader},
                                         .key = op.key,
                                         .element = op.element,
                                         .op = last[op.key]});
    }
}

}  // namespace partita::transactions
