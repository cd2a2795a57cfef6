// The store's own revisions as a witness: an order of all transactions, that is tried out.

#pragma once

#include "found.h"
#include "told.h"

namespace partita::transactions {

struct Witness {
    bool is_told = false;  // of all that wrote
    bool fits = false;     // the order explains all that was read
    int64_t stale = 0;  // transactions that would stand before one that ended before they began
};

// Replays the transactions in the order of their revisions, and reports reads that contradict it.
Witness look_at_revisions(const Txns& txns, const Versions& versions, Found& found,
                          Limits& limits);

}  // namespace partita::transactions
