#include "scanner.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace partita {
namespace {

// The length of the UTF-8 sequence at `at`, 0 if it is none.
size_t utf8_length(const unsigned char* at, size_t left) {
    const unsigned char first = at[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3
                  : first < 0xf5 ? 4 : 0;
    if (length == 0 || length > left) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
    }
    const bool overlong = (first == 0xe0 && at[1] < 0xa0) || (first == 0xf0 && at[1] < 0x90);
    const bool surrogate = first == 0xed && at[1] >= 0xa0;
    const bool beyond = first == 0xf4 && at[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : length;
}

// Whether a byte is a character that stands for itself in a string of JSON.
bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

uint32_t four_hex_digits(const char*& at, const char* end) {
    uint32_t number = 0;
    if (end - at < 4) throw Malformed("an escape \\u without its four digits");
    const auto [stop, error] = std::from_chars(at, at + 4, number, 16);
    if (error != std::errc() || stop != at + 4) {
        throw Malformed("an escape \\u without its four digits");
    }
    at += 4;
    return number;
}

}  // namespace

void append_json_string(std::string_view utf8, std::string& out) {
    static constexpr char digits[] = "0123456789abcdef";
    const auto* bytes = reinterpret_cast<const unsigned char*>(utf8.data());
    out += '"';
    const auto plain = std::find_if_not(bytes, bytes + utf8.size(), is_plain) - bytes;
    out.append(utf8, 0, static_cast<size_t>(plain));
    for (auto i = static_cast<size_t>(plain); i < utf8.size();) {
        const unsigned char c = bytes[i];
        if (c == '"' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
            i++;
        } else if (c < 0x20) {
            out += "\\u00";
            out += digits[c >> 4];
            out += digits[c & 15];
            i++;
        } else {
            const size_t length = utf8_length(bytes + i, utf8.size() - i);
            if (length == 0) throw Malformed("a string that is not UTF-8");
            out.append(utf8, i, length);
            i += length;
        }
    }
    out += '"';
}

std::string found(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) return std::string(" (found ") + c + ")";
    return " (found byte " + std::to_string(byte) + ")";
}

std::string shown(std::string_view text) {
    constexpr size_t length = 40;
    std::string result;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    for (size_t i = 0; i < text.size() && result.size() < length;) {
        const size_t step = utf8_length(bytes + i, text.size() - i);
        if (step == 0 || bytes[i] < 0x20 || bytes[i] == 0x7f) {
            result += '?';
        } else {
            result.append(text, i, step);
        }
        i += std::max<size_t>(step, 1);
    }
    return result;
}

void append_utf8(uint32_t c, std::string& out) {
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        throw Malformed("an escape for a character that does not exist");
    }
    auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0 | (c >> 6));
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xe0 | (c >> 12));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xf0 | (c >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

void append_json_number(std::string_view number, std::string& out) {
    if (number.size() > digits_max) {
        throw Malformed("the number " + shown(number) + "… is too long");
    }
    if (number.find_first_of(".eE") == std::string_view::npos) {
        out += number == "-0" ? "0" : number;
        return;
    }
    double value = 0;
    const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || !std::isfinite(value)) {
        throw Malformed("the number " + shown(number) + " is out of range");
    }
    char text[32];
    const bool is_whole = value == std::trunc(value) && std::abs(value) < 9e15;
    const auto written = is_whole
                             ? std::to_chars(text, text + 32, static_cast<int64_t>(value))
                             : std::to_chars(text, text + 32, value);
    out.append(text, written.ptr);
}

void append_json_object(std::vector<std::string>& members, std::string& out) {
    std::sort(members.begin(), members.end());
    out += '{';
    for (size_t i = 0; i < members.size(); i++) {
        if (i > 0) out += ',';
        out += members[i];
    }
    out += '}';
}

uint32_t read_escaped(const char*& at, const char* end) {
    const uint32_t high = four_hex_digits(at, end);
    if (high < 0xd800 || high >= 0xdc00 || end - at < 6 || at[0] != '\\' || at[1] != 'u') {
        return high;
    }
    at += 2;
    const uint32_t low = four_hex_digits(at, end);
    if (low < 0xdc00 || low >= 0xe000) return 0xd800;  // which append_utf8 refuses
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

}  // namespace partita
