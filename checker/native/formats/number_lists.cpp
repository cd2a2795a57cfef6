#include "number_lists.h"

#include <cstring>
#include <string_view>

#include "scanner.h"

namespace partita {
namespace {

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// Whether none of the numbers is too long for one.
bool has_short_numbers(std::string_view list, char separator) {
    while (list.size() > digits_max) {
        const size_t cut = list.rfind(separator, digits_max);
        if (cut == std::string_view::npos) return false;
        list.remove_prefix(cut + 1);
    }
    return true;
}

}  // namespace

const char* append_number_list(const char* at, const char* end, char close, char separator,
                               std::string& out) {
    if (at >= end || !is_digit(*at)) return nullptr;
    const auto left = static_cast<size_t>(end - at);
    const auto* stop = static_cast<const char*>(std::memchr(at, close, left));
    if (stop == nullptr || !is_digit(stop[-1]) || (at[0] == '0' && is_digit(at[1]))) return nullptr;
    const auto size = static_cast<size_t>(stop - at);
    if (!has_short_numbers({at, size}, separator)) return nullptr;
    const size_t begin = out.size();
    out.append(at, size);
    char* copy = out.data() + begin;
    // Without a branch and one byte like the other, so that the compiler takes many at a time.
    unsigned char bad = 0;
    for (size_t i = 1; i < size; i++) {
        const char c = at[i];
        const bool parts = c == separator;
        const bool behind = at[i - 1] == separator;
        bad |= static_cast<unsigned char>((!is_digit(c) & !parts) | (parts & behind) |
                                          ((c == '0') & behind & is_digit(at[i + 1])));
        copy[i] = parts ? ',' : c;
    }
    if (bad == 0) return stop;
    out.resize(begin);
    return nullptr;
}

}  // namespace partita
