// Numbers in the notations of EDN.

#pragma once

#include <string>
#include <string_view>

namespace partita {

// Appends a number, whose first character behind its sign is a digit, as compact JSON: whole
// numbers of any radix (0xff, 017, 2r101) and length (7N) exactly, decimals (1.5M) and ratios (1/3)
// as JSON's readers have them. Throws `Malformed` if it is none.
void append_edn_number(std::string_view text, std::string& out);

}  // namespace partita
