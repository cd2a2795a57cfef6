// Text that was put together from pieces, taken apart again.

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "../../limits.h"

namespace partita::monitors {

struct TakenApart {
    std::vector<int32_t> order;    // pieces, as they stand in the text
    std::vector<int32_t> fitting;  // behind these: the pieces that fit, if more than one does
};

// Takes a text apart from its beginning, as long as exactly one piece fits that was not used
// before. Pieces are different, and none is empty.
TakenApart take_apart(std::string_view text, const std::vector<std::string_view>& pieces,
                      Limits& limits);

}  // namespace partita::monitors
