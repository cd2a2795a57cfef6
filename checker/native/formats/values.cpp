#include "values.h"

#include <charconv>

namespace partita {
namespace {

uint64_t mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

uint64_t hash_text(std::string_view text) { return std::hash<std::string_view>{}(text); }

uint64_t hash_pair(int32_t first, int32_t second) {
    return mix((static_cast<uint64_t>(static_cast<uint32_t>(first)) << 32) |
               static_cast<uint32_t>(second));
}

bool is_whole(std::string_view json, int64_t& whole) {
    if (json.empty() || !(json[0] == '-' || (json[0] >= '0' && json[0] <= '9'))) return false;
    const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), whole);
    return error == std::errc() && end == json.data() + json.size();
}

// Skips, within an element of a list, what neither begins nor ends anything. Many bytes at a time,
// and all of them alike, so that the compiler takes them together.
size_t skip_inside(std::string_view json, size_t at) {
    constexpr size_t stride = 32;
    while (at + stride <= json.size()) {
        unsigned char any = 0;
        for (size_t i = 0; i < stride; i++) {
            const auto c = static_cast<unsigned char>(json[at + i]);
            const auto bracket = static_cast<unsigned char>(c | 0x20);  // of either kind
            any |= static_cast<unsigned char>((c == '"') | (bracket == '{') | (bracket == '}'));
        }
        if (any) break;
        at += stride;
    }
    return at;
}

// Splits a compact JSON list of exactly two elements. A set is none (see edn.cpp).
bool is_pair(std::string_view json, std::string_view& first, std::string_view& second) {
    if (json.size() < 5 || json[0] != '[' || json[1] == '\t') return false;
    size_t comma = 0;
    int depth = 0;
    for (size_t at = 0; at < json.size(); at++) {
        const char c = json[at];
        if (c == '"') {
            at = string_end(json, at);
        } else if (c == '[' || c == '{') {
            if (++depth > 1) at = skip_inside(json, at + 1) - 1;
        } else if (c == ']' || c == '}') {
            depth--;
        } else if (c == ',' && depth == 1) {
            if (comma != 0) return false;
            comma = at;
        }
    }
    if (comma == 0) return false;
    first = json.substr(1, comma - 1);
    second = json.substr(comma + 1, json.size() - comma - 2);
    return true;
}

}  // namespace

size_t string_end(std::string_view json, size_t at) {
    for (at++; json[at] != '"'; at++) {
        if (json[at] == '\\') at++;
    }
    return at;
}

std::vector<std::string_view> parts_of(std::string_view json) {
    std::vector<std::string_view> parts;
    if (json.size() < 2 || (json[0] != '[' && json[0] != '{')) return parts;
    json = json.substr(1, json.size() - 2);
    size_t begin = 0;
    int depth = 0;
    for (size_t at = 0; at < json.size(); at++) {
        const char c = json[at];
        if (c == '"') {
            at = string_end(json, at);
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        } else if (c == ',' && depth == 0) {
            parts.push_back(json.substr(begin, at - begin));
            begin = at + 1;
        }
    }
    if (!json.empty()) parts.push_back(json.substr(begin));
    return parts;
}

Values::Values() : slots_(1024, Slot{0, -1}) {}

int32_t Values::number(std::string_view json) {
    if (json == "null") return null;
    if (int64_t whole; is_whole(json, whole)) return number_of_whole(whole);
    if (std::string_view first, second; is_pair(json, first, second)) {
        const int32_t a = number(first);
        const int32_t b = number(second);
        return number_of_pair(a, b);
    }
    return number_of_text(json);
}

int32_t Values::number_of_whole(int64_t whole) {
    if (whole >= 0 && whole < small_limit) {
        if (static_cast<size_t>(whole) >= small_.size()) {
            small_.resize(std::max<size_t>(whole + 1, 2 * small_.size()), -1);
        }
        int32_t& number = small_[whole];
        if (number < 0) number = add(whole, false, no_pair, no_pair);
        return number;
    }
    int32_t* slot = find(mix(static_cast<uint64_t>(whole)), [&](int32_t n) {
        return !is_text[n] && pairs[2 * n] == no_pair && payload[n] == whole;
    });
    if (*slot < 0) {
        *slot = add(whole, false, no_pair, no_pair);
        grow();
        return static_cast<int32_t>(size() - 1);
    }
    return *slot;
}

int32_t Values::number_of_pair(int32_t first, int32_t second) {
    int32_t* slot = find(hash_pair(first, second), [&](int32_t n) {
        return pairs[2 * n] == first && pairs[2 * n + 1] == second;
    });
    if (*slot >= 0) return *slot;
    const int32_t number = *slot = add(0, false, first, second);
    grow();
    return number;
}

int32_t Values::number_of_text(std::string_view json) {
    int32_t* slot = find(hash_text(json),
                         [&](int32_t n) { return is_text[n] && text_at(payload[n]) == json; });
    if (*slot >= 0) return *slot;
    const int32_t number = *slot =
        add(static_cast<int64_t>(text_ends.size()), true, no_pair, no_pair);
    text.append(json);
    text_ends.push_back(static_cast<int64_t>(text.size()));
    grow();
    return number;
}

int32_t Values::add(int64_t whole_or_text, bool as_text, int32_t first, int32_t second) {
    payload.push_back(whole_or_text);
    is_text.push_back(as_text);
    pairs.push_back(first);
    pairs.push_back(second);
    return static_cast<int32_t>(payload.size() - 1);
}

std::string_view Values::text_at(int64_t index) const {
    const int64_t begin = index == 0 ? 0 : text_ends[index - 1];
    return text.view().substr(begin, text_ends[index] - begin);
}

// Returns the slot of a value, or the free one where it belongs.
template <class Same>
int32_t* Values::find(uint64_t hash, Same same) {
    const auto tag = static_cast<uint32_t>(hash);
    const size_t mask = slots_.size() - 1;
    for (size_t at = tag & mask;; at = (at + 1) & mask) {
        Slot& slot = slots_[at];
        if (slot.number < 0) slot.hash = tag;
        if (slot.number < 0 || (slot.hash == tag && same(slot.number))) return &slot.number;
    }
}

void Values::grow() {
    if (2 * ++used_ < slots_.size()) return;
    Slots old(2 * slots_.size(), Slot{0, -1});
    old.swap(slots_);
    const size_t mask = slots_.size() - 1;
    for (const Slot& slot : old) {
        if (slot.number < 0) continue;
        size_t at = slot.hash & mask;
        while (slots_[at].number >= 0) at = (at + 1) & mask;
        slots_[at] = slot;
    }
}

}  // namespace partita
