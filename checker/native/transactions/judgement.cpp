#include "judgement.h"

#include <algorithm>
#include <utility>

#include "../side_by_side.h"
#include "agreement.h"

namespace partita::transactions {

Judgement::Judgement(const Given& given, const ToldVersions& told, const Rules& ways,
                     Limits& limits)
    : txns(read_transactions(given, limits)), links(txns) {
    for (const MicroOp& op : txns.ops) reads += op.act == Act::read;
    Limits others = limits;
    side_by_side(
        is_large(), [&] { look_at_agreement(txns, txns.count(), others); },
        [&] {
            try {
                versions_ = told_versions(txns, told, limits);
                settle_orders(txns, versions_, found, limits);
            } catch (const Stopped& limit) {
                stopped = limit.reason;
            }
        });
    try {
        if (stopped == nullptr) look(ways, limits);
    } catch (const Stopped& limit) {
        stopped = limit.reason;
    }
}

void Judgement::look(const Rules& ways, Limits& limits) {
    committed = std::count(txns.committed.begin(), txns.committed.end(), 1);
    const Witness witness = look_at_all(limits);
    stale = witness.stale;
    if (witness.is_told) {
        by_revisions = witness.fits && stale == 0 && !found.has_any();
        revisions = by_revisions ? "prove" : witness.fits ? "stale" : "contradict";
    } else if (versions_.any) {
        revisions = "incomplete";
    }
    if (!by_revisions) look_for_cycles(ways, limits);
}

// What single transactions show, and meanwhile what their revisions do.
Witness Judgement::look_at_all(Limits& limits) {
    Found by_values, by_revisions_;
    Limits others = limits;
    Witness witness;
    const auto keep = [&] {
        found.add(std::move(by_values));
        found.add(std::move(by_revisions_));
    };
    try {
        side_by_side(
            is_large(),
            [&] {
                look_at_reads(txns, by_values, others);
                look_for_losses(txns, by_values, others);
            },
            [&] { witness = look_at_revisions(txns, versions_, by_revisions_, limits); });
    } catch (const Stopped&) {
        keep();
        throw;
    }
    keep();
    return witness;
}

void Judgement::look_for_cycles(const Rules& ways, Limits& limits) {
    // Revisions that contradict what was read order nothing.
    if (found.has(Anomaly::revision_mismatch)) versions_ = {};
    link_lists(txns, links, limits);
    rules = link_registers(txns, versions_, ways, links, found, limits);
    by_revisions = std::count(rules.begin(), rules.end(), static_cast<uint8_t>(Rule::told)) > 0;
    const Graph graph(txns, links, limits);
    nodes = graph.nodes();
    edges = static_cast<int64_t>(graph.edges());
    cycles = find_cycles(graph, txns, limits);
    stopped = cycles.stopped;
}

}  // namespace partita::transactions
