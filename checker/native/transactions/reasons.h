// Why one transaction came before another: looked for again, for the few edges that are shown.

#pragma once

#include "graph.h"

namespace partita::transactions {

struct Reason {
    uint32_t key = none, before = none, after = none;
    Rule rule = Rule::read;
};

Reason reason_of(const Txns& txns, const Links& links, uint32_t source, uint32_t target,
                 Relation relation);

}  // namespace partita::transactions
