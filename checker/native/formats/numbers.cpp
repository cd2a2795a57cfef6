// Numbers in every notation that EDN's readers take: 255 is 0xff, 0377, 2r11111111, 255N, 510/2.

#include "numbers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <vector>

#include "scanner.h"

namespace partita {
namespace {

constexpr std::string_view decimals = "0123456789";

bool all_of(std::string_view text, std::string_view allowed) {
    return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string_view without_zeros(std::string_view digits) {
    const size_t first = digits.find_first_not_of('0');
    return first == std::string_view::npos ? "0" : digits.substr(first);
}

int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'z') return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
    return 99;
}

// Returns digits of a radix as decimal ones, empty if they are none.
std::string in_decimal(std::string_view digits, int radix) {
    if (digits.empty() || digits.size() > digits_max || radix < 2 || radix > 36) return {};
    constexpr uint32_t limb = 1'000'000'000;
    std::vector<uint32_t> limbs{0};  // the lowest first
    for (const char c : digits) {
        if (digit(c) >= radix) return {};
        uint64_t carry = static_cast<uint64_t>(digit(c));
        for (uint32_t& each : limbs) {
            carry += uint64_t{each} * static_cast<uint64_t>(radix);
            each = static_cast<uint32_t>(carry % limb);
            carry /= limb;
        }
        if (carry > 0) limbs.push_back(static_cast<uint32_t>(carry));
    }
    std::string text = std::to_string(limbs.back());
    for (size_t i = limbs.size() - 1; i-- > 0;) {
        const std::string low = std::to_string(limbs[i]);
        text += std::string(9 - low.size(), '0') + low;
    }
    return text;
}

// Returns a whole number in decimal digits, empty if it is none.
std::string whole(std::string_view text) {
    if (text.ends_with('N')) text.remove_suffix(1);
    if (text == "0") return "0";
    if (text.starts_with("0x") || text.starts_with("0X")) return in_decimal(text.substr(2), 16);
    if (text.starts_with('0')) return in_decimal(text.substr(1), 8);
    if (const size_t r = text.find_first_of("rR"); r != std::string_view::npos && r <= 2) {
        int radix = 0;
        const auto [stop, error] = std::from_chars(text.data(), text.data() + r, radix);
        const bool known = error == std::errc() && stop == text.data() + r;
        return known ? in_decimal(text.substr(r + 1), radix) : std::string();
    }
    return all_of(text, decimals) ? std::string(text) : std::string();
}

// Whether it is digits, a point among them or not, and an exponent behind them or not.
bool is_decimal(std::string_view text) {
    const auto skip_digits = [&] {
        text.remove_prefix(std::min(text.find_first_not_of(decimals), text.size()));
    };
    skip_digits();
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        skip_digits();
    }
    if (!text.starts_with('e') && !text.starts_with('E')) return text.empty();
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    return all_of(text, decimals);
}

double approximate(std::string_view digits) {
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

// Ratios become what JSON has for them: 4/2 is 2, 1/2 is 0.5.
std::string ratio(std::string_view above, std::string_view below) {
    if (!all_of(above, decimals) || !all_of(below, decimals)) return {};
    above = without_zeros(above);
    below = without_zeros(below);
    if (below == "0") return {};
    int64_t a = 0, b = 0;
    const auto [a_end, a_error] = std::from_chars(above.data(), above.data() + above.size(), a);
    const auto [b_end, b_error] = std::from_chars(below.data(), below.data() + below.size(), b);
    if (a_error == std::errc() && b_error == std::errc()) {
        const int64_t common = std::gcd(a, b);
        if (b == common) return std::to_string(a / common);
        a /= common;
        b /= common;
    }
    const bool exact = a_error == std::errc() && b_error == std::errc();
    const double value = exact ? static_cast<double>(a) / static_cast<double>(b)
                               : approximate(above) / approximate(below);
    std::array<char, 32> text{};
    const auto written = std::to_chars(text.data(), text.data() + text.size(), value,
                                       std::chars_format::scientific);
    return {text.data(), written.ptr};
}

}  // namespace

void append_edn_number(std::string_view text, std::string& out) {
    // Most numbers are these, which need not be looked at more closely.
    if (text.size() < 20 && text[0] != '0' &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        out += text;
        return;
    }
    std::string_view digits = text;
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    std::string number = whole(digits);
    if (number.empty() && digits.find('/') != std::string_view::npos) {
        const size_t slash = digits.find('/');
        number = ratio(digits.substr(0, slash), digits.substr(slash + 1));
    }
    if (number.empty()) {
        const bool exact = digits.ends_with('M');
        if (exact) digits.remove_suffix(1);
        // Without an M, what is digits alone was refused above: an octal number with an 8 in it.
        if ((exact || !all_of(digits, decimals)) && is_decimal(digits)) {
            while (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') {
                digits.remove_prefix(1);
            }
            number = digits;
        }
    }
    if (number.empty()) {
        throw Malformed("not EDN: " + shown(text) + " is no number");
    }
    append_json_number((negative ? "-" : "") + number, out);
}

}  // namespace partita
