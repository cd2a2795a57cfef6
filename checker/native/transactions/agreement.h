// Whether transactions did what they were invoked with.

#pragma once

#include "columns.h"

namespace partita::transactions {

// Whether it is known what a transaction found.
inline bool has_answer(const Given& given, uint32_t txn) {
    return given.outcome[txn] == ok && given.output[txn] >= 0;
}

// Looks whether the first transactions, so many, did what they were invoked with. What a read found
// does not count: nobody knew that before. Throws `BadInput` for the first one that differs.
void look_at_agreement(const Txns& txns, uint32_t count, Limits& limits);

}  // namespace partita::transactions
