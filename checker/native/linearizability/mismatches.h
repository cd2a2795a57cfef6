// The cas that answered "mismatch" without saying what they met: each observed that for a
// moment of its interval the value was not the one it expected.

#pragma once

#include <vector>

#include "chain_links.h"

namespace partita {

// Given a register that is linearizable without its mismatches: valid if some order fits these
// as well, invalid if one of them surely does not, and `not_applicable` if only a search over
// all orders could tell. Only if `ordered` it says in which order.
ChainResult check_mismatches(const Links& links, const std::vector<Chain>& chains, bool ordered);

}  // namespace partita
