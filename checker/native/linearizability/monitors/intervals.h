// Operations as monitors see them: intervals between moments, which are numbered without gaps.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../../limits.h"

namespace partita::monitors {

// A place in the order of the events of the operations looked at; no two events share one.
using Moment = int32_t;
constexpr Moment never = std::numeric_limits<int32_t>::max();
constexpr int32_t none = -1;

struct Interval {
    Moment invoked;
    Moment completed;  // `never` if nobody knows
    bool crashed() const { return completed == never; }
};

enum class Answer : uint8_t { valid, invalid, declined, undecided };

// What a monitor found. `rule` names what is broken, or why the monitor does not apply;
// `operations` are those that the sentence is about, in the order that the rule says.
struct Finding {
    Answer answer = Answer::valid;
    std::string rule;
    std::vector<int32_t> operations;
};

// Thrown from within, where nothing more has to be looked at.
[[noreturn]] inline void contradict(const char* rule, std::vector<int32_t> operations) {
    throw Finding{Answer::invalid, rule, std::move(operations)};
}
[[noreturn]] inline void decline(const char* why, std::vector<int32_t> operations = {}) {
    throw Finding{Answer::declined, why, std::move(operations)};
}

// Numbers the moments of operations that are given by the ranks of their events in a history.
class Moments {
   public:
    Moments(const int64_t* invoked, const int64_t* completed, size_t count, Limits& limits)
        : invoked_(invoked), completed_(completed), intervals_(count, {never, never}) {
        if (!count) return;
        int64_t low = invoked[0], high = invoked[0];
        for (size_t i = 0; i < count; i++) {
            low = std::min(low, invoked[i]);
            high = std::max(high, invoked[i]);
            if (!is_open(i)) high = std::max(high, completed[i]);
        }
        // A table as long as the history, where the operations are a good part of it.
        if (high - low < static_cast<int64_t>(16 * count + 64)) {
            number_by_table(low, high, limits);
        } else {
            number_by_sorting(limits);
        }
    }

    const std::vector<Interval>& intervals() const { return intervals_; }

   private:
    bool is_open(size_t i) const { return completed_[i] == std::numeric_limits<int64_t>::max(); }

    void number(int64_t event) {
        Interval& interval = intervals_[event >> 1];
        (event & 1 ? interval.completed : interval.invoked) = next_++;
    }

    void number_by_table(int64_t low, int64_t high, Limits& limits) {
        std::vector<int32_t> events(high - low + 1, none);
        for (size_t i = 0; i < intervals_.size(); i++) {
            limits.poll();
            events[invoked_[i] - low] = static_cast<int32_t>(2 * i);
            if (!is_open(i)) events[completed_[i] - low] = static_cast<int32_t>(2 * i + 1);
        }
        for (const int32_t event : events) {
            if (event != none) number(event);
        }
    }

    void number_by_sorting(Limits& limits) {
        std::vector<std::pair<int64_t, int64_t>> events;
        for (size_t i = 0; i < intervals_.size(); i++) {
            limits.poll();
            events.push_back({invoked_[i], 2 * i});
            if (!is_open(i)) events.push_back({completed_[i], 2 * i + 1});
        }
        std::sort(events.begin(), events.end());
        for (const auto& [rank, event] : events) number(event);
    }

    const int64_t* invoked_;
    const int64_t* completed_;
    std::vector<Interval> intervals_;
    Moment next_ = 0;
};

}  // namespace partita::monitors
