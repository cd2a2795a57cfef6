// Whether transactions did what they were invoked with.

#pragma once

#include <optional>
#include <string>

#include "columns.h"

namespace partita::transactions {

// Says where the last transaction of `txns`, from its micro-operation `first` on, differs from what
// it was invoked with. What a read found does not count: nobody knew that before.
std::optional<std::string> disagreement(const Txns& txns, int32_t invoked, uint32_t first);

}  // namespace partita::transactions
