// What the two notations, JSON and EDN, have in common for whoever reads them.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "events.h"

namespace partita {

// Thrown when the text ends inside of a form: more of it must be read first, if there is more.
struct Unfinished {};

// Deeper nesting than this would overflow the stack, and is no history.
constexpr int depth_max = 200;

// Longer numbers are no values of a history: Python does not read them, and those of another
// radix take time that grows with their square.
constexpr size_t digits_max = 4096;

// Appends a string as compact JSON: only quotes, backslashes and control characters are
// escaped, and in one way only, so that equal strings get equal texts. Throws `Malformed`
// if it is not UTF-8.
void append_json_string(std::string_view utf8, std::string& out);

// Says which character stands where another is needed: " (found x)".
std::string found(char c);

// Cuts a text that stands in a message: at a character, and without what would break the line.
std::string shown(std::string_view text);

// Appends a character as UTF-8. Throws `Malformed` if there is no such character.
void append_utf8(uint32_t character, std::string& out);

// Appends a number as compact JSON: 1.0 and 1e0 are 1.
void append_json_number(std::string_view number, std::string& out);

// Appends an object of members like "name":value. They are sorted, for their order says
// nothing.
void append_json_object(std::vector<std::string>& members, std::string& out);

// Returns one JSON value in the compact form.
std::string compact_json(std::string_view json);

// Reads the four digits of \uXXXX at `at`, and the second half of a surrogate pair after them
// if need be. Leaves `at` behind them.
uint32_t read_escaped(const char*& at, const char* end);

// Reads one event in JSON, which must be all of the line.
void read_json_event(std::string_view line, Events& events);

// Reads events that may stand anywhere on a line, one at a time.
class Forms {
   public:
    virtual ~Forms() = default;

    // Reads what comes next at `at`: an event, a bracket that opens or closes the whole, or
    // blanks. Returns where it ended, or `end`. Throws `Unfinished` if that lies beyond `end`,
    // unless `last` says that nothing follows.
    virtual const char* read(const char* at, const char* end, bool last, Events& events) = 0;

    // Where the form that was read last began, and how far reading came.
    const char* start() const { return start_; }
    const char* position() const { return at_; }

    // Whether a list that holds all events is still open.
    bool open() const { return depth_ > 0; }

   protected:
    const char* start_ = nullptr;
    const char* at_ = nullptr;
    int depth_ = 0;  // of brackets around the events
};

// Reads events in JSON, in one array, or one after the other.
class JsonForms : public Forms {
   public:
    const char* read(const char* at, const char* end, bool last, Events& events) override;
};

// Reads events in EDN: maps.
class Edn : public Forms {
   public:
    const char* read(const char* at, const char* end, bool last, Events& events) override;

   private:
    void skip_blanks();
    void skip_form();
    void read_event(Events& events);
    void value(std::string& out);
    void sequence(char close, std::string& out);
    void elements(char close, std::string& out);
    void set(std::string& out);
    void map(std::string& out);
    void string(std::string& out);
    void character(std::string& out);
    void atom(std::string& out);
    void tag();
    std::string_view token();
    char peek() const;
    void need(bool enough) const;

    const char* end_ = nullptr;
    bool last_ = false;
    int nesting_ = 0;  // of forms in an event
};

}  // namespace partita
