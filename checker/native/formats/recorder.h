// From events, as they stand in a file, to the columns of checker.history.History.

#pragma once

#include <cstdint>
#include <optional>
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
    std::optional<int32_t> find(std::string_view name) const;
    std::vector<std::string> names;

   private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> numbers_;
};

// The events that are no operation's beginning or end: what the nemesis and the monitor say,
// and what a client was told while an operation of its own may have been under way. There may be
// millions of them, so they stand in columns; names are numbers, -1 where there is none.
struct Others {
    std::vector<int64_t> rank, time, version, process;
    std::vector<int32_t> name;  // that of the process, -1: `process` is its number
    std::vector<int32_t> type, f, value, key, error, node;
    Names names, types, fs, errors, nodes;
};

// Fields that have no column of their own, of whichever events have them, in their order.
struct Extras {
    std::vector<int64_t> rank;
    std::vector<int32_t> name, value;
    Names names;
    Values values;

    void put_in_order(const std::vector<int64_t>& new_rank);
};

class Recorder {
   public:
    std::vector<int64_t> process, invoked_rank, completed_rank, ended_rank;
    std::vector<int64_t> invoked_ns, completed_ns, due_ns, version;
    std::vector<int32_t> f, key, input, output, node, error;
    std::vector<int8_t> outcome;
    Names fs, nodes, errors;
    Values values, keys;
    Others others;
    Extras extras;
    int64_t events = 0;
    Names process_names;      // of the processes from `named_process` on
    int64_t markers = 0;      // events that name no process
    bool nameless = false;    // no event names one: all are completions, whose order nobody knows
    bool paired = false;      // no event names one: what is invoked is completed by the next event
    int64_t backwards_ns = 0;  // how far clocks went back from one line to a later one, at most
    int64_t backwards_at = 0;  // at which event
    int64_t earliest_ns = INT64_MAX, latest_ns = -1;

    // Whether events are to be taken in the order of their indexes, not in that of lines.
    bool by_index = false;
    bool ordered_by_index = false;  // and whether they were

    // Processes with names get numbers from here on.
    static constexpr int64_t named_process = int64_t{1} << 40;

    // An event is given field by field, then taken. Values are compact JSON; keywords of EDN
    // are strings that begin with a colon, which only values and keys keep.
    void begin_event();
    void field(std::string_view name, std::string_view json);
    void end_event();

    // Takes what could only be taken when all events were there.
    void finish();

    // Whether all events so far have an index, and these do not grow from each to the next.
    bool disordered() const { return indexed_ == seen_ && disordered_; }

    // Forgets the further fields of an event that was cut off.
    void drop_event();

   private:
    struct Event {
        bool client = false, has_process = false, has_actual = false;
        int64_t process = 0, time = 0, due = 0, version = 0, index = 0, rank = 0;
        int32_t value = Values::null, key = Values::null, actual = Values::null;
        std::string process_name, type, f, node, error;
    };

    void extra(std::string_view name, std::string_view json);
    void look_at_index();
    void look_at_clock();
    void take();
    void take_named();
    void take_nameless();
    void invoke_nameless();
    bool is_transaction(int32_t value) const;
    void take_client();
    void put_in_order();
    void note();
    void invoke();
    void complete(int8_t outcome);
    int64_t* open_row(int64_t process);
    std::string who(int64_t process) const;
    int32_t pair_of_cas(int32_t value);

    Event event_;
    std::vector<Event> kept_;  // if `by_index`
    int64_t seen_ = 0, indexed_ = 0, index_before_ = INT64_MIN;
    bool disordered_ = false;
    bool nameless_open_ = false;  // the last operation is still under way, if they are `paired`
    // Rows of the operations that are under way, by process: -1 if none is.
    std::vector<int64_t> open_;
    std::unordered_map<int64_t, int64_t> open_far_;
};

}  // namespace partita
