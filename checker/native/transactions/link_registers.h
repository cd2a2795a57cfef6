// In which order the values of a register stood, as far as named rules tell it.

#pragma once

#include "found.h"
#include "links.h"
#include "told.h"

namespace partita::transactions {

struct Rules {
    bool writes_follow_reads = true;
    bool linearizable_keys = false;
    bool sequential_keys = false;
};

// Adds the links of all registers, and returns the rules that gave any. Reports rules that
// contradict each other, and leaves out the links that do.
std::vector<uint8_t> link_registers(const Txns& txns, const Versions& versions, const Rules& rules,
                                    Links& links, Found& found, Limits& limits);

}  // namespace partita::transactions
