// From events, as they stand in a file, to the columns of checker.history.History.

#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "values.h"

namespace partita {

// What is wrong with a history, without its file and line, which the reader knows.
struct Malformed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Names by number, in the order in which they came.
class Names {
   public:
    int32_t number(std::string_view name);
    std::vector<std::string> names;

   private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> numbers_;
};

// The events that are no operation's beginning or end: what the nemesis and the monitor say,
// and what a client was told while an operation of its own may have been under way.
struct Other {
    int64_t rank, time, version;
    bool numbered;  // `number` is the process, and not `process`
    int64_t number;
    std::string process, type, f;
    int32_t value, key;
    std::string error, node;  // empty: none
};

// Fields that have no column of their own, of whichever events have them, in their order.
struct Extras {
    std::vector<int64_t> rank;
    std::vector<int32_t> name, value;
    Names names;
    Values values;
};

class Recorder {
   public:
    std::vector<int64_t> process, invoked_rank, completed_rank, ended_rank;
    std::vector<int64_t> invoked_ns, completed_ns, due_ns, version;
    std::vector<int32_t> f, key, input, output, node, error;
    std::vector<int8_t> outcome;
    Names fs, nodes, errors;
    Values values, keys;
    std::vector<Other> others;
    Extras extras;
    int64_t events = 0;

    // An event is given field by field, then taken. Values are compact JSON; keywords of EDN
    // are strings that begin with a colon, which only values and keys keep.
    void begin_event();
    void field(std::string_view name, std::string_view json);
    void end_event();

    // Forgets the further fields of an event that was cut off.
    void drop_event();

   private:
    struct Event {
        bool client = false, has_process = false, has_actual = false;
        int64_t process = 0, time = 0, due = 0, version = 0;
        int32_t value = Values::null, key = Values::null, actual = Values::null;
        std::string process_name, type, f, node, error;
    };

    void extra(std::string_view name, std::string_view json);
    void note();
    void invoke();
    void complete(int8_t outcome);
    int64_t* open_row(int64_t process);

    Event event_;
    // Rows of the operations that are under way, by process: -1 if none is.
    std::vector<int64_t> open_;
    std::unordered_map<int64_t, int64_t> open_far_;
};

}  // namespace partita
