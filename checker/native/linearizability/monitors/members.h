// The monitor of sets whose elements are added, removed and asked for one at a time. What it
// decides, and why that is right, stands in checker/linearizability/monitors/members.py.

#pragma once

#include <vector>

#include "intervals.h"

namespace partita::monitors {

enum class Member : int8_t { add, remove, found_in, found_out };

struct MemberOperation : Interval {
    Member act;
    int32_t element;

    bool asks() const { return act == Member::found_in || act == Member::found_out; }
    // Whether the element is in when this has been done.
    bool leaves_in() const { return act == Member::add || act == Member::found_in; }
};

// Elements are numbers from 0 to `elements` - 1; the first `present` are in at the beginning.
// If it is valid, an order of the operations' places is put into `order`.
Finding check_members(const std::vector<MemberOperation>& operations, int32_t elements,
                      int32_t present, Limits& limits, std::vector<int32_t>* order = nullptr);

}  // namespace partita::monitors
