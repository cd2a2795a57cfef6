#include <algorithm>

#include "links.h"

namespace partita::transactions {
namespace {

struct Unread {
    uint32_t key, element;
};

// What was committed and never read, by key: the first such element of each transaction.
std::vector<Unread> unread(const Txns& txns) {
    std::vector<Unread> found;
    std::vector<uint32_t> taken(txns.keys.size(), none);
    for (uint32_t i = 0; i < txns.ops.size(); i++) {
        const MicroOp& op = txns.ops[i];
        const uint32_t txn = txns.txn_of[i];
        if (op.act != Act::append || txns.elements[op.element].is_read) continue;
        if (!txns.committed[txn] || taken[op.key] == txn) continue;
        taken[op.key] = txn;
        found.push_back({op.key, op.element});
    }
    std::sort(found.begin(), found.end(), [](const Unread& a, const Unread& b) {
        return a.key != b.key ? a.key < b.key : a.element < b.element;
    });
    return found;
}

}  // namespace

void link_lists(const Txns& txns, Links& links, Limits& limits) {
    const std::vector<Unread> never_read = unread(txns);
    auto tail = never_read.begin();
    links.all.reserve(txns.elements.size() + txns.keys.size());
    std::vector<uint32_t> open;  // the last committed element, and what was not committed behind it
    for (uint32_t key = 0; key < txns.keys.size(); key++) {
        limits.poll();
        if (txns.keys[key].shape != Shape::list) continue;
        open.assign(1, none);
        const auto& order = txns.keys[key].order;
        for (uint32_t place = 0; place < order.size(); place++) {
            const uint32_t element = order[place];
            if (txns.elements[element].place != place) continue;  // a duplicate
            if (txns.is_committed(element)) {
                for (const uint32_t before : open) links.add({key, before, element, Rule::read});
                open.clear();
            }
            open.push_back(element);
        }
        auto end = tail;
        while (end != never_read.end() && end->key == key) ++end;
        for (const uint32_t before : open) {
            for (auto each = tail; each != end; ++each) {
                links.add({key, before, each->element, Rule::unread});
            }
        }
        tail = end;
    }
}

}  // namespace partita::transactions
