// The monitor of sets that only grow and are read whole. What it decides, and why that is right,
// stands in checker/linearizability/monitors/sets.py.

#pragma once

#include <vector>

#include "intervals.h"

namespace partita::monitors {

// `what` is the element that was added, or the list that was read.
struct SetOperation : Interval {
    bool is_read;
    int32_t what;
};

// Lists of elements, back to back.
struct Lists {
    const int32_t* elements;
    const int64_t* ends;

    const int32_t* begin(int32_t list) const { return elements + (list ? ends[list - 1] : 0); }
    const int32_t* end(int32_t list) const { return elements + ends[list]; }
};

class GrowingSet {
   public:
    // Elements are numbers from 0 to `elements` - 1, lists from 0 to `lists` - 1.
    GrowingSet(const std::vector<SetOperation>& operations, int32_t elements, int32_t lists,
               const Lists& contents, Limits& limits)
        : ops_(operations),
          contents_(contents),
          limits_(limits),
          adds_(elements),
          size_of_(lists, none) {}

    Finding check();

    // An order that proves it, after `check` said valid.
    std::vector<int32_t> order() const;

   private:
    // A moment, and the operation that was invoked or over then.
    struct Mark {
        Moment moment = none;
        int32_t operation = none;
        void raise(Moment other, int32_t by) {
            if (other > moment) *this = {other, by};
        }
    };

    // When an element came in: not before the first invocation of an add, and not after the
    // first completion.
    struct Element {
        Mark from{never, none};
        Mark until{never, none};
        Moment at = none;
        int32_t size = none;  // of the smallest read that names it
    };

    void note_adds();
    void measure(int32_t read);
    void sort_reads();
    void place_reads_of_one_size(size_t from, size_t to);
    void place_unread();
    [[noreturn]] void contradict_lost(const Element& element, const Mark& latest) const;

    const std::vector<SetOperation>& ops_;
    const Lists contents_;
    Limits& limits_;
    std::vector<Element> adds_;
    std::vector<int32_t> size_of_;  // by list: how many different elements it names
    std::vector<int32_t> reads_;    // that were answered; by size, once sorted
    std::vector<Moment> read_at_;   // of each of these

    // Nothing that follows can be earlier: because of any operation, or of a read.
    Mark latest_, latest_read_;
    int32_t known_ = 0;         // elements that the reads so far name
    int32_t previous_ = none;   // a read that names them
};

}  // namespace partita::monitors
