// An order that proves a queue's history valid.

#include <numeric>
#include <tuple>

#include "queue.h"

namespace partita::monitors {
namespace {

// Moments are doubled: event m is 2 m, and between it and the next one is 2 m + 1.
using Time = int64_t;
constexpr Time at_the_end = int64_t{4} * never;

Time of(Moment moment) { return moment == never ? at_the_end - 1 : 2 * Time{moment}; }

}  // namespace

// A value in the order: when it may be put and taken, and how many of the moments at which the
// queue was empty come before it.
struct Queue::Placed {
    int32_t put, take;
    Time put_from, put_until, take_from, take_until;
    size_t period = 0;
};

// The values that count. Of those that stayed, the ones that must be out by some moment get
// the unknown takes, both in their order in time.
std::vector<Queue::Placed> Queue::placed(const std::vector<int64_t>& empty_times) const {
    std::vector<Placed> values;
    for (const Value& v : taken_) {
        values.push_back({v.put, v.take, of(v.put_from), of(v.put_until), of(v.take_from),
                          of(v.take_until)});
    }
    std::vector<std::pair<Time, const Value*>> due;
    for (const Value& v : stayed_) {
        Time until = v.due == never ? at_the_end : of(v.due);
        const auto empty =
            std::lower_bound(empty_times.begin(), empty_times.end(), of(v.put_until));
        if (empty != empty_times.end()) until = std::min(until, *empty);
        if (until < at_the_end) {
            due.push_back({until, &v});
        } else {
            values.push_back({v.put, none, of(v.put_from), of(v.put_until), at_the_end, at_the_end});
        }
    }
    std::stable_sort(due.begin(), due.end(), [](auto& a, auto& b) { return a.first < b.first; });
    for (size_t i = 0; i < due.size(); i++) {
        const Value& v = *due[i].second;
        const int32_t take = unknown_takes_.at(i);
        values.push_back({v.put, take, of(v.put_from), of(v.put_until),
                          of(std::max(ops_[take].invoked, v.put_from)), at_the_end - 1});
    }
    return values;
}

std::vector<int32_t> Queue::order() const {
    std::vector<Time> empty_times;
    for (const Moment m : empty_at_) empty_times.push_back(2 * Time{m} + 1);
    std::sort(empty_times.begin(), empty_times.end());
    empty_times.erase(std::unique(empty_times.begin(), empty_times.end()), empty_times.end());
    std::vector<Placed> values = placed(empty_times);
    for (Placed& v : values) {
        v.period = std::lower_bound(empty_times.begin(), empty_times.end(), v.put_until) -
                   empty_times.begin();
        if (v.period > 0) {
            v.put_from = std::max(v.put_from, empty_times[v.period - 1]);
            v.take_from = std::max(v.take_from, empty_times[v.period - 1]);
        }
        if (v.period < empty_times.size()) {
            v.take_until = std::min(v.take_until, empty_times[v.period]);
        }
    }
    std::sort(values.begin(), values.end(),
              [](const Placed& a, const Placed& b) { return a.put_until < b.put_until; });
    std::vector<int32_t> sequence;
    for (size_t from = 0, to = 0; from < values.size(); from = to) {
        while (to < values.size() && values[to].period == values[from].period) to++;
        put_in_order(values, from, to, sequence);
    }
    return in_time(values, sequence, empty_times);
}

// Of the values of one period, again and again one that no other must precede, neither when put
// nor when taken: there always is one (rule 2).
void Queue::put_in_order(const std::vector<Placed>& values, size_t from, size_t to,
                         std::vector<int32_t>& sequence) const {
    std::vector<int32_t> by_put_until(to - from);
    std::iota(by_put_until.begin(), by_put_until.end(), static_cast<int32_t>(from));
    if (!is_fifo_) {
        sequence.insert(sequence.end(), by_put_until.begin(), by_put_until.end());
        return;
    }
    auto sorted = [&](Time Placed::*key) {
        std::vector<int32_t> list(by_put_until);
        std::sort(list.begin(), list.end(),
                  [&](int32_t a, int32_t b) { return values[a].*key < values[b].*key; });
        return list;
    };
    const auto by_put_from = sorted(&Placed::put_from), by_take_from = sorted(&Placed::take_from),
               by_take_until = sorted(&Placed::take_until);
    std::vector<uint8_t> is_gone(to - from, 0), free_of(to - from, 0);
    std::vector<int32_t> ready;
    size_t put = 0, take = 0, next_put = 0, next_take = 0;
    auto release = [&](const std::vector<int32_t>& list, size_t& next, Time Placed::*key, Time end) {
        for (; next < list.size() && values[list[next]].*key <= end; next++) {
            if (++free_of[list[next] - from] == 2) ready.push_back(list[next]);
        }
    };
    for (size_t done = 0; done < to - from; done++) {
        limits_.poll();
        while (is_gone[by_put_until[put] - from]) put++;
        while (is_gone[by_take_until[take] - from]) take++;
        release(by_put_from, next_put, &Placed::put_from, values[by_put_until[put]].put_until);
        release(by_take_from, next_take, &Placed::take_from,
                values[by_take_until[take]].take_until);
        const int32_t value = ready.back();
        ready.pop_back();
        is_gone[value - from] = 1;
        sequence.push_back(value);
    }
}

// Each put and take as early as the sequence lets it.
std::vector<int32_t> Queue::in_time(const std::vector<Placed>& values,
                                    const std::vector<int32_t>& sequence,
                                    const std::vector<int64_t>& empty_times) const {
    struct Event {
        Time time;
        size_t period;  // doubled; the moment of emptiness that ends it is odd
        int32_t is_take, place, operation;
        auto key() const { return std::tie(time, period, is_take, place); }
    };
    std::vector<Event> events;
    Time put = -1, take = -1;
    for (int32_t place = 0; place < static_cast<int32_t>(sequence.size()); place++) {
        const Placed& v = values[sequence[place]];
        put = is_fifo_ ? std::max(put, v.put_from) : v.put_from;
        take = std::max({is_fifo_ ? take : -1, v.take_from, put});
        events.push_back({put, 2 * v.period, 0, place, v.put});
        if (v.take != none) events.push_back({take, 2 * v.period, 1, place, v.take});
    }
    for (size_t i = 0; i < empties_.size(); i++) {
        const Time time = 2 * Time{empty_at_[i]} + 1;
        const size_t period =
            std::lower_bound(empty_times.begin(), empty_times.end(), time) - empty_times.begin();
        events.push_back({time, 2 * period + 1, 0, 0, empties_[i]});
    }
    std::sort(events.begin(), events.end(),
              [](const Event& a, const Event& b) { return a.key() < b.key(); });
    std::vector<int32_t> order;
    for (const Event& event : events) order.push_back(event.operation);
    return order;
}

}  // namespace partita::monitors
