// JSON: one event a line, or events in an array, which may stand on one line or on many.

#include "number_lists.h"
#include "scanner.h"

namespace partita {
namespace {

class Json {
   public:
    // `many_lines`: whether the end of a line is a blank like others.
    explicit Json(std::string_view text, bool many_lines = false)
        : at_(text.data()), end_(text.data() + text.size()), many_lines_(many_lines) {}

    const char* position() const { return at_; }

    // Reads a value and nothing else.
    void read_value(std::string& out) {
        skip_blanks();
        value(out, 0);
        skip_blanks();
        if (at_ != end_) fail("something follows the value");
    }

    // Reads an object, and notes each of its fields.
    void read_event(Events& events) {
        skip_blanks();
        if (at_ == end_ || *at_ != '{') fail("an event is an object, which begins with {");
        at_++;
        events.begin_event(at_);
        for (bool first = true; !closed('}', first); first = false) {
            const size_t name = events.text.size();
            expect_string(events.text);
            const size_t json = events.text.size();
            skip_blanks();
            expect(':');
            skip_blanks();
            value(events.text, 0);
            events.field(at_, name + 1, json - 1, json);
        }
    }

    // Makes sure that nothing is left.
    void end_line() {
        skip_blanks();
        if (at_ != end_) fail("something follows the event on its line");
    }

    // Steps over what stands between events.
    void skip_separators() {
        for (skip_blanks(); at_ < end_ && *at_ == ','; skip_blanks()) at_++;
    }

   private:
    [[noreturn]] void fail(const char* what) const {
        if (at_ >= end_) throw Unfinished{};
        throw Malformed(std::string("not JSON: ") + what + found(*at_));
    }

    void skip_blanks() {
        while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r' ||
                              (*at_ == '\n' && many_lines_))) {
            at_++;
        }
    }

    void expect(char c) {
        if (at_ >= end_) throw Unfinished{};
        if (*at_ != c) fail(c == ':' ? "a name without a colon" : "a bracket is missing");
        at_++;
    }

    // Whether a list or object ends here; if not, steps over the comma before the next element.
    bool closed(char bracket, bool first) {
        skip_blanks();
        if (at_ < end_ && *at_ == bracket) {
            at_++;
            return true;
        }
        if (!first) {
            if (at_ >= end_ || *at_ != ',') fail("a comma or a closing bracket is missing");
            at_++;
            skip_blanks();
        }
        return false;
    }

    void value(std::string& out, int depth) {
        if (at_ >= end_) throw Unfinished{};
        if (depth > depth_max) throw Malformed("not JSON: nested too deeply");
        switch (*at_) {
            case '"': return expect_string(out);
            case '[': return list(out, depth);
            case '{': return object(out, depth);
            case 't': return word("true", out);
            case 'f': return word("false", out);
            case 'n': return word("null", out);
            default: return number(out);
        }
    }

    void word(std::string_view expected, std::string& out) {
        const std::string_view left(at_, static_cast<size_t>(end_ - at_));
        if (left.substr(0, expected.size()) != expected) {
            if (expected.substr(0, left.size()) == left) throw Unfinished{};
            fail("an unknown word");
        }
        out += expected;
        at_ += expected.size();
    }

    void digits() {
        const char* begin = at_;
        while (at_ < end_ && *at_ >= '0' && *at_ <= '9') at_++;
        if (at_ == begin) fail("a value is missing");
    }

    void number(std::string& out) {
        const char* begin = at_;
        if (*at_ == '-') at_++;
        const char* first = at_;
        digits();
        if (*first == '0' && at_ - first > 1) fail("a number begins with 0");
        if (at_ < end_ && *at_ == '.') {
            at_++;
            digits();
        }
        if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
            at_++;
            if (at_ < end_ && (*at_ == '+' || *at_ == '-')) at_++;
            digits();
        }
        append_json_number({begin, static_cast<size_t>(at_ - begin)}, out);
    }

    void expect_string(std::string& out) {
        if (at_ >= end_) throw Unfinished{};
        if (*at_ != '"') fail("a name in quotes is missing");
        const char* begin = at_++;
        if (skip_plain()) {
            out.append(begin, at_);
            return;
        }
        std::string text(begin + 1, at_);
        while (at_ < end_ && *at_ != '"') {
            if (*at_ == '\\') {
                escape(text);
            } else {
                text += *at_++;
            }
        }
        if (at_ >= end_) throw Unfinished{};
        at_++;
        append_json_string(text, out);
    }

    // Steps over the rest of a string if nothing in it has to be looked at more closely.
    bool skip_plain() {
        for (; at_ < end_; at_++) {
            const auto c = static_cast<unsigned char>(*at_);
            if (c == '"') {
                at_++;
                return true;
            }
            if (c == '\\' || c < 0x20 || c >= 0x80) return false;
        }
        return false;
    }

    void escape(std::string& text) {
        if (++at_ >= end_) throw Unfinished{};
        switch (*at_++) {
            case '"': text += '"'; break;
            case '\\': text += '\\'; break;
            case '/': text += '/'; break;
            case 'b': text += '\b'; break;
            case 'f': text += '\f'; break;
            case 'n': text += '\n'; break;
            case 'r': text += '\r'; break;
            case 't': text += '\t'; break;
            case 'u':
                if (end_ - at_ < 4) throw Unfinished{};
                append_utf8(read_escaped(at_, end_), text);
                break;
            default: throw Malformed("not JSON: an unknown escape in a string");
        }
    }

    void list(std::string& out, int depth) {
        at_++;
        out += '[';
        const bool has_room = depth < depth_max;  // for the elements
        const char* stop = has_room ? append_number_list(at_, end_, ']', ',', out) : nullptr;
        if (stop != nullptr) {
            at_ = stop + 1;
        } else {
            for (bool first = true; !closed(']', first); first = false) {
                if (!first) out += ',';
                value(out, depth + 1);
            }
        }
        out += ']';
    }

    void object(std::string& out, int depth) {
        at_++;
        std::vector<std::string> members;
        for (bool first = true; !closed('}', first); first = false) {
            std::string member;
            expect_string(member);
            skip_blanks();
            expect(':');
            skip_blanks();
            member += ':';
            value(member, depth + 1);
            members.push_back(std::move(member));
        }
        append_json_object(members, out);
    }

    const char* at_;
    const char* end_;
    bool many_lines_;
};

}  // namespace

std::string compact_json(std::string_view json) {
    std::string out;
    Json(json).read_value(out);
    return out;
}

void read_json_event(std::string_view line, Events& events) {
    Json json(line);
    json.read_event(events);
    json.end_line();
    events.end_event(json.position());
}

const char* JsonForms::read(const char* at, const char* end, bool, Events& events) {
    Json json({at, static_cast<size_t>(end - at)}, true);
    json.skip_separators();
    start_ = at_ = json.position();
    if (at_ == end) return at_;
    if (depth_ == 0 && *at_ == '[') {
        depth_ = 1;
        return ++at_;
    }
    if (depth_ == 1 && *at_ == ']') {
        depth_ = 0;
        return ++at_;
    }
    try {
        json.read_event(events);
        at_ = json.position();
        events.end_event(at_);
    } catch (const Malformed&) {
        at_ = json.position();
        throw;
    }
    return at_;
}

}  // namespace partita
