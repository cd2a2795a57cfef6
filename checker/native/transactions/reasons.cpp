#include "reasons.h"

namespace partita::transactions {
namespace {

bool touched_before(const Txns& txns, uint32_t txn, uint32_t op) {
    for (uint32_t i = txns.first[txn]; i < op; i++) {
        if (txns.ops[i].key == txns.ops[op].key) return true;
    }
    return false;
}

}  // namespace

Reason reason_of(const Txns& txns, const Links& links, uint32_t source, uint32_t target,
                 Relation relation) {
    const uint32_t txn = relation == Relation::wr ? target : source;
    for (uint32_t i = txns.first[txn]; i < txns.first[txn + 1]; i++) {
        const MicroOp& op = txns.ops[i];
        const bool writes = op.act == Act::append || op.act == Act::write;
        if (relation == Relation::ww ? !writes : op.act != Act::read) continue;
        if (!writes && touched_before(txns, txn, i)) continue;
        if (relation == Relation::wr) {
            if (op.element == none || txns.writer_of(op.element) != source) continue;
            return {op.key, op.element, none, Rule::read};
        }
        if (op.list != none) continue;
        const Range range = links.after(op.key, op.element);
        for (uint32_t at = range.begin; at < range.end; at++) {
            const Link& link = links.all[at];
            if (txns.writer_of(link.after) == target) {
                return {op.key, op.element, link.after, link.rule};
            }
        }
    }
    return {};
}

}  // namespace partita::transactions
