// The monitor of counters whose additions are all of one size. What it decides, and why that is
// right, stands in checker/linearizability/monitors/counters.py.

#pragma once

#include <vector>

#include "intervals.h"

namespace partita::monitors {

// `amount` is what was added, or the sum that was read.
struct CounterOperation : Interval {
    bool is_read;
    int64_t amount;
};

class CounterMonitor {
   public:
    CounterMonitor(const std::vector<CounterOperation>& operations, int64_t initial, Limits& limits)
        : ops_(operations), initial_(initial), limits_(limits) {}

    Finding check();

    // An order that proves it, after `check` said valid.
    std::vector<int32_t> order() const;

   private:
    // A bound on when a slot is filled, and the read that sets it.
    struct Bound {
        Moment moment;
        int32_t read;
    };

    void sort_out();
    void count_reads();
    void bound_slots();
    void fill_slots();
    int32_t first_slot(int32_t add) const;
    int32_t last_slot(int32_t add) const;
    [[noreturn]] void contradict_crowded(int32_t add, int32_t slot) const;

    const std::vector<CounterOperation>& ops_;
    const int64_t initial_;
    Limits& limits_;

    std::vector<int32_t> adds_, reads_;  // of a size but 0; that were answered
    std::vector<int32_t> count_;         // by operation: how many additions a read saw
    // The i-th addition, from 1, fills slot i: after all reads of less were invoked, before any
    // read of i or more was over. Both bounds rise with i.
    int32_t slots_ = 0;
    std::vector<Bound> after_, before_;
    std::vector<int32_t> filled_by_;
};

}  // namespace partita::monitors
