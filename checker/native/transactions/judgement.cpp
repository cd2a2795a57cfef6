#include "judgement.h"

#include <algorithm>

namespace partita::transactions {

Judgement::Judgement(const Given& given, const ToldVersions& told, const Rules& ways,
                     Limits& limits)
    : txns(read_transactions(given, limits)), links(txns) {
    for (const MicroOp& op : txns.ops) reads += op.act == Act::read;
    try {
        look(told, ways, limits);
    } catch (const Stopped& limit) {
        stopped = limit.reason;
    }
}

void Judgement::look(const ToldVersions& told, const Rules& ways, Limits& limits) {
    Versions versions = told_versions(txns, told, limits);
    settle_orders(txns, versions, found, limits);
    committed = std::count(txns.committed.begin(), txns.committed.end(), 1);
    look_at_reads(txns, found, limits);
    look_for_losses(txns, found, limits);
    const Witness witness = look_at_revisions(txns, versions, found, limits);
    revisions = witness.what;
    stale = witness.stale;
    if (witness.proves) {
        by_revisions = true;
        return;
    }
    // Revisions that contradict what was read order nothing.
    if (found.has(Anomaly::revision_mismatch)) versions = {};
    link_lists(txns, links, limits);
    rules = link_registers(txns, versions, ways, links, found, limits);
    by_revisions = std::count(rules.begin(), rules.end(), static_cast<uint8_t>(Rule::told)) > 0;
    const Graph graph(txns, links, limits);
    nodes = graph.nodes();
    edges = static_cast<int64_t>(graph.edges());
    cycles = find_cycles(graph, txns, limits);
    stopped = cycles.stopped;
}

}  // namespace partita::transactions
