// Lists of whole numbers, of which histories with lists are full: copied at a stroke.

#pragma once

#include <string>

namespace partita {

// Appends what stands in a list from `at` to its bracket `close` as compact JSON, and returns
// where that bracket stands. Null, and nothing is appended, unless all of it are whole numbers
// in decimal digits, with one `separator` between each and the next: whoever reads the notation
// knows what else there is, and what is wrong.
const char* append_number_list(const char* at, const char* end, char close, char separator,
                               std::string& out);

}  // namespace partita
