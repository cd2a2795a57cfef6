// Lists of whole numbers and texts, taken apart into elements by number.

#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../../limits.h"

namespace partita::monitors {

// Views of the columns of checker.values.Values.
struct ValueColumns {
    const int64_t* payload;
    const int8_t* is_text;
    const int32_t* pairs;  // two each
    const int64_t* text_ends;
    std::string_view text;

    bool is_pair(int32_t code) const { return pairs[2 * code] != -2; }
    std::string_view text_of(int32_t code) const {
        const int64_t index = payload[code];
        const int64_t begin = index ? text_ends[index - 1] : 0;
        return text.substr(begin, text_ends[index] - begin);
    }
};

// Gives elements numbers: first to those that were added, then to whatever else lists name.
class ListReader {
   public:
    ListReader(const ValueColumns& values, Limits& limits) : values_(values), limits_(limits) {}

    // Notes an element by its code. False: it is neither a whole number nor a text.
    bool add(int32_t code, int32_t& number);

    // Appends a list's elements. False: it is none, or holds something else.
    bool read(int32_t code, std::vector<int32_t>& elements);

    int32_t count() const { return count_; }

   private:
    int32_t number_of(int64_t whole);
    int32_t number_of(std::string_view text);

    const ValueColumns values_;
    Limits& limits_;
    int32_t count_ = 0;
    // Small numbers, which most histories write, are looked up without hashing.
    static constexpr int64_t small_limit = 1 << 21;
    std::vector<int32_t> small_;
    std::unordered_map<int64_t, int32_t> wholes_;
    std::unordered_map<std::string_view, int32_t> texts_;
};

}  // namespace partita::monitors
