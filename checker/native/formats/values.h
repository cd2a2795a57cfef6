// Values by number: the same value gets the same number, so that engines see only integers.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../huge_pages.h"
#include "long_text.h"

namespace partita {

// Returns where a compact JSON string that begins at `at` has its closing quote.
size_t string_end(std::string_view json, size_t at);

// Splits a compact JSON list or object: elements, or members with their names.
std::vector<std::string_view> parts_of(std::string_view json);

// What a number stands for. Whole numbers and pairs (a cas's input) are kept as such, all
// else as compact JSON, back to back in `text`.
class Values {
   public:
    static constexpr int32_t null = -1;
    static constexpr int32_t no_pair = -2;

    Values();

    // Returns the number of a value given as compact JSON (see Json::append_value).
    int32_t number(std::string_view json);
    int32_t number_of_pair(int32_t first, int32_t second);

    // Returns the compact JSON of a value that is neither a whole number nor a pair.
    std::string_view text_of(int32_t number) const { return text_at(payload[number]); }

    size_t size() const { return payload.size(); }

    // By number: a whole number itself, or the index of a text.
    std::vector<int64_t> payload;
    std::vector<int8_t> is_text;
    std::vector<int32_t> pairs;  // two each
    std::vector<int64_t> text_ends;
    LongText text;

   private:
    int32_t number_of_whole(int64_t whole);
    int32_t number_of_text(std::string_view json);
    int32_t add(int64_t whole_or_text, bool is_text, int32_t first, int32_t second);
    std::string_view text_at(int64_t index) const;
    template <class Same>
    int32_t* find(uint64_t hash, Same same);
    void grow();

    // A part of the hash stands beside each number, so that only equal ones are looked at, and
    // nothing is hashed again when the table grows: values may be long.
    struct Slot {
        uint32_t hash;
        int32_t number;  // -1: free
    };

    // Small whole numbers, which most histories write, are looked up without hashing.
    static constexpr int64_t small_limit = 1 << 20;
    std::vector<int32_t> small_;
    using Slots = std::vector<Slot, HugePages<Slot>>;
    Slots slots_;  // open addressing
    size_t used_ = 0;
};

}  // namespace partita
