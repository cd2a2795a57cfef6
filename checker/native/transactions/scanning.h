// Compact JSON, as the values of a history are kept, walked through without being decoded.

#pragma once

#include <cstdint>
#include <string_view>

namespace partita::transactions {

// Where a text ends, behind its quote; `at` is its first quote. Null if it does not end.
inline const char* end_of_text(const char* at, const char* end) {
    for (++at; at < end; ++at) {
        if (*at == '\\') {
            ++at;
        } else if (*at == '"') {
            return at + 1;
        }
    }
    return nullptr;
}

// Where a value ends. Null if it does not end.
inline const char* end_of_value(const char* at, const char* end) {
    int depth = 0;
    while (at < end) {
        const char c = *at;
        if (c == '"') {
            at = end_of_text(at, end);
            if (at == nullptr) return nullptr;
            if (depth == 0) return at;
            continue;
        }
        if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            if (depth == 0) return at;
            if (--depth == 0) return at + 1;
        } else if (c == ',' && depth == 0) {
            return at;
        }
        ++at;
    }
    return depth == 0 ? at : nullptr;
}

// Whether a value is a whole number that fits into 31 bits.
inline bool is_small_number(std::string_view json, uint32_t& number) {
    if (json.empty() || json.size() > 9 || (json[0] == '0' && json.size() > 1)) return false;
    uint32_t value = 0;
    for (const char c : json) {
        if (c < '0' || c > '9') return false;
        value = 10 * value + static_cast<uint32_t>(c - '0');
    }
    number = value;
    return true;
}

}  // namespace partita::transactions
