#include "witness.h"

#include <algorithm>

namespace partita::transactions {
namespace {

class Replay {
   public:
    Replay(const Txns& txns, const Versions& versions, Found& found, Limits& limits)
        : txns_(txns), versions_(versions), found_(found), limits_(limits) {}

    Witness look() {
        if (!versions_.any) return {};
        for (const uint32_t element : versions_.contradicted) {
            mismatch({.txns = {txns_.writer_of(element)},
                      .key = txns_.elements[element].key,
                      .element = element,
                      .fact = "two versions"});
        }
        if (!place_writers()) return {};
        look_at_time();
        replay();
        return {true, fits_, stale_};
    }

   private:
    void mismatch(Occurrence occurrence) {
        fits_ = false;
        found_.add(Anomaly::revision_mismatch, std::move(occurrence));
    }

    // Whoever wrote stands at its revision. False: of some nobody told it.
    bool place_writers() {
        revision_.assign(txns_.count(), -1);
        writes_.assign(txns_.count(), 0);
        for (uint32_t txn = 0; txn < txns_.count(); txn++) {
            if (!txns_.committed[txn]) continue;
            revision_[txn] = txns_.given.version[txn];
            for (uint32_t i = txns_.first[txn]; i < txns_.first[txn + 1]; i++) {
                const MicroOp& op = txns_.ops[i];
                if (op.act != Act::append && op.act != Act::write) continue;
                writes_[txn] = 1;
                if (revision_[txn] < 0) revision_[txn] = versions_.of(op.element);
            }
            if (writes_[txn] && revision_[txn] < 0) return false;
            order_.push_back(txn);
        }
        return true;
    }

    // Gives readers that were told no revision the least that they can have, and counts those that
    // would stand before something that had ended before they began.
    void look_at_time() {
        int64_t last = -1;
        for (const uint32_t txn : order_) {
            if (txns_.given.outcome[txn] == ok) last = std::max(last, txns_.given.completed[txn]);
        }
        std::vector<uint32_t> ended(static_cast<size_t>(last + 1), none);
        for (const uint32_t txn : order_) {
            if (txns_.given.outcome[txn] == ok) {
                ended[static_cast<size_t>(txns_.given.completed[txn])] = txn;
            }
        }
        int64_t least = 0;
        size_t rank = 0;
        for (const uint32_t txn : order_) {
            for (; rank < ended.size() && static_cast<int64_t>(rank) < txns_.given.invoked[txn]; rank++) {
                if (ended[rank] != none) least = std::max(least, revision_[ended[rank]]);
            }
            if (revision_[txn] < 0) {
                revision_[txn] = std::max(least, seen_by(txn));
                inferred_.push_back(txn);
            }
            if (revision_[txn] < least + (writes_[txn] && least > 0)) stale_++;
        }
    }

    int64_t seen_by(uint32_t txn) const {
        int64_t least = 0;
        for (uint32_t i = txns_.first[txn]; i < txns_.first[txn + 1]; i++) {
            const MicroOp& op = txns_.ops[i];
            if (op.act != Act::read || op.element == none) continue;
            const uint32_t writer = txns_.writer_of(op.element);
            if (writer != none) least = std::max(least, revision_[writer]);
        }
        return least;
    }

    void replay() {
        std::stable_sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
            if (revision_[a] != revision_[b]) return revision_[a] < revision_[b];
            return writes_[a] > writes_[b];  // who only read saw what was written at its revision
        });
        length_.assign(txns_.keys.size(), 0);
        unread_.assign(txns_.keys.size(), 0);
        value_.assign(txns_.keys.size(), none);
        touched_.assign(txns_.keys.size(), none);
        std::vector<uint8_t> is_inferred(txns_.count(), 0);
        for (const uint32_t txn : inferred_) is_inferred[txn] = 1;
        for (size_t i = 0; i < order_.size(); i++) {
            limits_.poll();
            const uint32_t txn = order_[i];
            if (i > 0 && writes_[txn] && writes_[order_[i - 1]] &&
                revision_[txn] == revision_[order_[i - 1]]) {
                mismatch({.txns = {order_[i - 1], txn}, .fact = "one revision"});
            }
            step(txn, is_inferred[txn]);
        }
    }

    void step(uint32_t txn, bool is_inferred) {
        for (uint32_t i = txns_.first[txn]; i < txns_.first[txn + 1]; i++) {
            const MicroOp& op = txns_.ops[i];
            const bool is_first = touched_[op.key] != txn;
            touched_[op.key] = txn;
            if (op.act == Act::read && is_first && !fits(op)) {
                fits_ = false;
                if (is_inferred) continue;
                mismatch({.txns = {txn},
                          .key = op.key,
                          .element = op.element,
                          .other = last_of(op.key),
                          .op = i,
                          .fact = "read"});
            } else if (op.act == Act::append) {
                append(op.key, op.element, txn, i);
            } else if (op.act == Act::write) {
                value_[op.key] = op.element;
            }
        }
    }

    bool fits(const MicroOp& op) const {
        if (txns_.keys[op.key].shape == Shape::value) return value_[op.key] == op.element;
        return op.list == none && unread_[op.key] == 0 && op.length == length_[op.key];
    }

    uint32_t last_of(uint32_t key) const {
        if (txns_.keys[key].shape == Shape::value) return value_[key];
        return length_[key] > 0 ? txns_.keys[key].order[length_[key] - 1] : none;
    }

    void append(uint32_t key, uint32_t element, uint32_t txn, uint32_t op) {
        const uint32_t place = txns_.elements[element].place;
        if (place == none) {
            unread_[key]++;
        } else if (unread_[key] > 0 || place != length_[key]) {
            mismatch({.txns = {txn},
                      .key = key,
                      .element = element,
                      .other = last_of(key),
                      .op = op,
                      .fact = "order"});
            length_[key] = std::max(length_[key], place + 1);
        } else {
            length_[key]++;
        }
    }

    const Txns& txns_;
    const Versions& versions_;
    Found& found_;
    Limits& limits_;
    std::vector<int64_t> revision_;  // by transaction
    std::vector<uint8_t> writes_;
    std::vector<uint32_t> order_, inferred_;
    std::vector<uint32_t> length_, unread_, value_, touched_;  // by key
    int64_t stale_ = 0;
    bool fits_ = true;
};

}  // namespace

Witness look_at_revisions(const Txns& txns, const Versions& versions, Found& found,
                          Limits& limits) {
    return Replay(txns, versions, found, limits).look();
}

}  // namespace partita::transactions
