// All that is known of a history of transactions, and in which order it is looked for.

#pragma once

#include <vector>

#include "cycles.h"
#include "found.h"
#include "graph.h"
#include "link_registers.h"
#include "orders.h"
#include "told.h"
#include "witness.h"

namespace partita::transactions {

// Where a limit is hit after all was read, `stopped` is its name: what was found until then stands,
// and there may be more of everything.
struct Judgement {
    Judgement(const Given& given, const ToldVersions& told, const Rules& rules, Limits& limits);

    Txns txns;
    Found found;
    Links links;
    Cycles cycles;
    bool by_revisions = false;     // whether revisions decided, and not values alone
    const char* revisions = "";    // what was found of them
    int64_t stale = 0;             // transactions whose revision is older than real time allows
    int64_t reads = 0, committed = 0, nodes = 0, edges = 0;
    std::vector<uint8_t> rules;    // those by which values of registers were ordered
    const char* stopped = nullptr;

   private:
    void look(const Rules& ways, Limits& limits);
    Witness look_at_all(Limits& limits);
    void look_for_cycles(const Rules& ways, Limits& limits);
    bool is_large() const { return txns.ops.size() > 100'000; }  // so that a thread is worth it

    Versions versions_;
};

}  // namespace partita::transactions
