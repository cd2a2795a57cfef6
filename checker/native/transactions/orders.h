// In which order the values of a list stood: the longest list that was read says it.

#pragma once

#include "columns.h"
#include "found.h"
#include "told.h"

namespace partita::transactions {

// Makes the longest list of each key its order, gives elements their places, and says which
// transactions are committed. Reports lists that are no order, or contradict each other.
void settle_orders(Txns& txns, const Versions& versions, Found& found, Limits& limits);

// Reports reads that no order of the transactions explains: of what was aborted, intermediate,
// never written, or is not what the transaction itself had seen and done before.
void look_at_reads(const Txns& txns, Found& found, Limits& limits);

// Reports what two transactions lost: updates of what both had read, and acknowledged appends.
void look_for_losses(const Txns& txns, Found& found, Limits& limits);

}  // namespace partita::transactions
