// The monitor of queues, in order or not, whose values are told apart. What it decides, and why
// that is right, stands in checker/linearizability/monitors/queues.py.

#pragma once

#include <vector>

#include "intervals.h"

namespace partita::monitors {

enum class Act : int8_t { put, take, find_empty };

struct QueueOperation : Interval {
    Act act;
    int32_t value;  // what was put, or what a take that was answered took
};

class Queue {
   public:
    // Values are numbers from 0 to `values` - 1.
    Queue(std::vector<QueueOperation> operations, int32_t values, bool is_fifo, Limits& limits)
        : ops_(std::move(operations)), value_count_(values), is_fifo_(is_fifo), limits_(limits) {}

    Finding check();

    // An order that proves it, after `check` said valid.
    std::vector<int32_t> order() const;

   private:
    // A value that is known to have been put in, with the moments between which it was put and
    // taken. `take` is none for a value that nobody is known to have taken.
    struct Value {
        int32_t put;
        int32_t take;
        Moment put_from, put_until;
        Moment take_from, take_until;
        Moment due = never;  // of those that stayed: an unknown take must have taken it by then
    };

    void sort_out();
    std::vector<int32_t> by_value() const;
    void note_value(const std::vector<int32_t>& puts, const std::vector<int32_t>& takes);
    void find_disorder() const;
    void find_left_behind();
    void find_empty_moments();

    [[noreturn]] void contradict_left_behind(Moment due) const;
    [[noreturn]] void contradict_not_empty(int32_t empty) const;
    std::vector<int32_t> what_fills(int32_t empty) const;
    std::vector<int32_t> fewest(std::vector<int32_t> named) const;
    bool contradict_alone(const std::vector<int32_t>& chosen) const;

    struct Placed;
    std::vector<Placed> placed(const std::vector<int64_t>& empty_times) const;
    void put_in_order(const std::vector<Placed>& values, size_t from, size_t to,
                      std::vector<int32_t>& sequence) const;
    std::vector<int32_t> in_time(const std::vector<Placed>& values,
                                 const std::vector<int32_t>& sequence,
                                 const std::vector<int64_t>& empty_times) const;

    int32_t size() const { return static_cast<int32_t>(ops_.size()); }

    const std::vector<QueueOperation> ops_;
    const int32_t value_count_;
    const bool is_fifo_;
    Limits& limits_;
    bool is_part_ = false;  // of another one's contradiction, which asks whether it is one too

    Moment end_ = 0;  // after all events
    std::vector<Value> taken_, stayed_;  // stayed: by the end of their puts
    std::vector<int32_t> unknown_takes_;  // by invocation
    std::vector<int32_t> begun_takes_;  // by moment: unknown takes invoked before it
    std::vector<int32_t> empties_;
    std::vector<Moment> empty_at_;  // of each of these: the event after which it was empty
};

}  // namespace partita::monitors
