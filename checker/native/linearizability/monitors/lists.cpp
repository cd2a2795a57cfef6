#include "lists.h"

#include <algorithm>
#include <charconv>

namespace partita::monitors {
namespace {

// The end of a text in compact JSON, behind its quote; `at` is its first one.
const char* end_of_text(const char* at, const char* end) {
    for (++at; at != end; ++at) {
        if (*at == '\\') {
            ++at;
        } else if (*at == '"') {
            return at + 1;
        }
    }
    return nullptr;
}

}  // namespace

bool ListReader::add(int32_t code, int32_t& number) {
    limits_.poll();
    if (code < 0 || values_.is_pair(code)) return false;
    if (!values_.is_text[code]) {
        number = number_of(values_.payload[code]);
        return true;
    }
    const std::string_view text = values_.text_of(code);
    if (text.empty() || text.front() != '"') return false;
    number = number_of(text);
    return true;
}

bool ListReader::read(int32_t code, std::vector<int32_t>& elements) {
    if (code < 0) return true;  // null reads as nothing
    if (values_.is_pair(code)) {
        for (const int32_t part : {values_.pairs[2 * code], values_.pairs[2 * code + 1]}) {
            elements.emplace_back();
            if (!add(part, elements.back())) return false;
        }
        return true;
    }
    if (!values_.is_text[code]) return false;
    const std::string_view text = values_.text_of(code);
    if (text.size() < 2 || text.front() != '[') return false;
    const char *at = text.data() + 1, *end = text.data() + text.size() - 1;
    if (*at == '\t') {  // the elements of a set stand between tabs (formats/edn.cpp)
        ++at;
        --end;
    }
    while (at != end) {
        limits_.poll();
        if (*at == '"') {
            const char* after = end_of_text(at, end);
            if (after == nullptr) return false;
            elements.push_back(number_of(std::string_view(at, after - at)));
            at = after;
        } else {
            int64_t whole = 0;
            const auto [after, error] = std::from_chars(at, end, whole);
            if (error != std::errc{} || (after != end && *after != ',')) return false;
            elements.push_back(number_of(whole));
            at = after;
        }
        if (at == end) break;
        if (*at != ',') return false;
        ++at;
    }
    return true;
}

int32_t ListReader::number_of(int64_t whole) {
    if (whole >= 0 && whole < small_limit) {
        if (static_cast<size_t>(whole) >= small_.size()) {
            small_.resize(std::max<size_t>(2 * small_.size(), whole + 1), -1);
        }
        int32_t& number = small_[whole];
        if (number < 0) number = count_++;
        return number;
    }
    const auto [found, is_new] = wholes_.emplace(whole, count_);
    if (is_new) count_++;
    return found->second;
}

int32_t ListReader::number_of(std::string_view text) {
    const auto [found, is_new] = texts_.emplace(text, count_);
    if (is_new) count_++;
    return found->second;
}

}  // namespace partita::monitors
