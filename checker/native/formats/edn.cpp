// EDN, the notation of Clojure, in which Jepsen writes histories: a map an event, one after
// the other, or all of them in one vector or list. Values become JSON: keywords are strings
// that begin with a colon, vectors, lists and sets are lists. What would be the same in JSON and
// is not in EDN differs in ways that JSON's readers do not see (checker/values.py): the elements
// of a set, which are sorted, stand between tabs, and where a text looks like a keyword its colon
// is escaped.

#include <algorithm>
#include <array>

#include "number_lists.h"
#include "numbers.h"
#include "scanner.h"

namespace partita {
namespace {

// What a character is to whoever looks for the end of a token, by its byte.
enum Part : uint8_t { inside, blank, delimiter };

constexpr std::array<uint8_t, 256> parts = [] {
    std::array<uint8_t, 256> table{};
    for (const unsigned char c : std::string_view(" ,\n\r\t\f\v")) table[c] = blank;
    for (const unsigned char c : std::string_view("()[]{}\";")) table[c] = delimiter;
    return table;
}();

bool is_blank(char c) { return parts[static_cast<unsigned char>(c)] == blank; }

bool ends_token(char c) { return parts[static_cast<unsigned char>(c)] != inside; }

// Whether a text would be a keyword if it stood without quotes (checker/formats/edn.py says so too).
bool looks_like_keyword(std::string_view text) {
    constexpr std::string_view others = ".*+!-_?$%&=<>/:#'";
    if (text.size() < 2 || text[0] != ':') return false;
    return std::all_of(text.begin() + 1, text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               others.find(c) != std::string_view::npos;
    });
}

// Counts how deeply forms are nested, and refuses what would overflow the stack.
class Nested {
   public:
    explicit Nested(int& depth) : depth_(depth) {
        if (++depth_ > depth_max) throw Malformed("not EDN: nested too deeply");
    }
    ~Nested() { depth_--; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    int& depth_;
};

}  // namespace

// Where nothing more follows the end of the text, a form that reaches it is complete.
void Edn::need(bool enough) const {
    if (!enough) throw Unfinished{};
}

char Edn::peek() const {
    need(at_ < end_);
    return *at_;
}

const char* Edn::read(const char* at, const char* end, bool last, Events& events) {
    start_ = at_ = at;
    end_ = end;
    last_ = last;
    nesting_ = 0;
    skip_blanks();
    start_ = at_;
    if (at_ == end_) return at_;
    if (depth_ == 0 && (*at_ == '[' || *at_ == '(')) {
        depth_ = 1;
        return ++at_;
    }
    if (depth_ == 1 && (*at_ == ']' || *at_ == ')')) {
        depth_ = 0;
        return ++at_;
    }
    if (*at_ == '#' || *at_ == '^') {
        tag();
        return at_;
    }
    read_event(events);
    return at_;
}

void Edn::skip_blanks() {
    for (;;) {
        while (at_ < end_ && is_blank(*at_)) at_++;
        if (at_ == end_) return;
        if (*at_ == ';') {
            const char* comment = at_;
            while (at_ < end_ && *at_ != '\n') at_++;
            if (at_ == end_ && !last_) {
                at_ = comment;
                throw Unfinished{};
            }
        } else if (*at_ == '#') {
            need(at_ + 1 < end_);
            if (at_[1] != '_') return;
            at_ += 2;
            skip_form();
        } else {
            return;
        }
    }
}

void Edn::skip_form() {
    const Nested nested(nesting_);
    std::string ignored;
    value(ignored);
}

// A tag says what the form after it is to become, which values do not need to know; metadata
// is a form of its own before the one that it describes.
void Edn::tag() {
    if (*at_++ == '^') return skip_form();
    if (peek() != '{') token();
}

void Edn::read_event(Events& events) {
    if (*at_ != '{') {
        throw Malformed("not EDN: an event is a map, which begins with {" + found(*at_));
    }
    at_++;
    events.begin_event(at_);
    std::string& text = events.text;
    for (;;) {
        skip_blanks();
        if (peek() == '}') break;
        const size_t name = text.size();
        value(text);
        const size_t json = text.size();
        value(text);
        const bool keyword = json > name + 2 && text[name] == '"' && text[name + 1] == ':';
        if (keyword) {
            events.field(at_, name + 2, json - 1, json);
        } else {
            text.resize(name);
        }
    }
    at_++;
    events.end_event(at_);
}

void Edn::value(std::string& out) {
    const Nested nested(nesting_);
    skip_blanks();
    switch (peek()) {
        case '{': at_++; return map(out);
        case '[': at_++; return sequence(']', out);
        case '(': at_++; return sequence(')', out);
        case '"': return string(out);
        case '\\': return character(out);
        case '}':
        case ']':
        case ')': throw Malformed(std::string("not EDN: a value is missing before ") + *at_);
        case '^': tag(); return value(out);
        case '#': break;
        default: return atom(out);
    }
    need(at_ + 1 < end_);
    if (at_[1] == '{') {
        at_ += 2;
        return set(out);
    }
    if (at_[1] == '#') {  // ##Inf, ##NaN
        const std::string_view symbol = token();
        return append_json_string(symbol, out);
    }
    tag();
    value(out);
}

void Edn::sequence(char close, std::string& out) {
    out += '[';
    const bool has_room = nesting_ < depth_max;  // for the elements
    const char* stop = has_room ? append_number_list(at_, end_, close, ' ', out) : nullptr;
    if (stop == nullptr) {
        elements(close, out);
    } else {
        at_ = stop;
    }
    at_++;
    out += ']';
}

void Edn::elements(char close, std::string& out) {
    for (bool first = true;; first = false) {
        skip_blanks();
        if (peek() == close) return;
        if (!first) out += ',';
        value(out);
    }
}

void Edn::set(std::string& out) {
    std::vector<std::string> elements;
    for (skip_blanks(); peek() != '}'; skip_blanks()) value(elements.emplace_back());
    at_++;
    std::sort(elements.begin(), elements.end());
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
    out += "[\t";
    for (size_t i = 0; i < elements.size(); i++) {
        if (i > 0) out += ',';
        out += elements[i];
    }
    out += "\t]";
}

void Edn::map(std::string& out) {
    std::vector<std::string> members;
    for (;;) {
        skip_blanks();
        if (peek() == '}') break;
        std::string key, member;
        value(key);
        if (key[0] == '"') {
            member = key;
        } else {
            append_json_string(key, member);
        }
        member += ':';
        value(member);
        members.push_back(std::move(member));
    }
    at_++;
    append_json_object(members, out);
}

void Edn::string(std::string& out) {
    std::string text;
    for (at_++; peek() != '"'; at_++) {
        if (*at_ != '\\') {
            text += *at_;
            continue;
        }
        at_++;
        switch (peek()) {
            case 'n': text += '\n'; break;
            case 't': text += '\t'; break;
            case 'r': text += '\r'; break;
            case 'b': text += '\b'; break;
            case 'f': text += '\f'; break;
            case 'u':
                need(end_ - at_ > 10 || last_);
                at_++;
                append_utf8(read_escaped(at_, end_), text);
                at_--;
                break;
            default: text += *at_;
        }
    }
    at_++;
    const size_t begin = out.size();
    append_json_string(text, out);
    if (looks_like_keyword(text)) out.replace(begin + 1, 1, "\\u003a");
}

void Edn::character(std::string& out) {
    at_++;
    need(at_ < end_);
    const char* begin = at_++;
    while (at_ < end_ && !ends_token(*at_)) at_++;
    need(at_ < end_ || last_);
    const std::string_view name(begin, static_cast<size_t>(at_ - begin));
    if (name.size() == 5 && name[0] == 'u') {
        std::string text;
        const char* digits = begin + 1;
        append_utf8(read_escaped(digits, at_), text);
        return append_json_string(text, out);
    }
    append_json_string(name == "newline" ? "\n" : name == "space" ? " " : name == "tab" ? "\t"
                       : name == "return" ? "\r" : name, out);
}

std::string_view Edn::token() {
    const char* begin = at_;
    while (at_ < end_ && !ends_token(*at_)) at_++;
    need(at_ < end_ || last_);
    if (at_ == begin) throw Malformed(std::string("not EDN: unexpected ") + *at_);
    return {begin, static_cast<size_t>(at_ - begin)};
}

// Numbers, keywords, and the words nil, true and false. Other symbols are kept as strings.
void Edn::atom(std::string& out) {
    std::string_view text = token();
    if (text == "nil") {
        out += "null";
        return;
    }
    if (text == "true" || text == "false") {
        out += text;
        return;
    }
    std::string_view digits = text;
    if (digits[0] == '-' || digits[0] == '+') digits.remove_prefix(1);
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return append_json_string(text, out);
    append_edn_number(text, out);
}

}  // namespace partita
