// The operations of one key as integers, and their events in order.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <queue>
#include <vector>

namespace partita::search {

constexpr std::int32_t kNever = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kImpossible = -1;  // The state after an operation that cannot be.

// How much an operation counts. Whoever demotes one weakens the history, so that what is
// contradictory still was contradictory before.
enum class Role : std::uint8_t {
    kOwed,   // It happened once, between its two events.
    kOnce,   // It happened at most once, between its two events.
    kPooled  // Operations of its kind happened at most as often as there are of them under
             // way, or (where the search does not count) any number of times meanwhile.
};

struct Operation {
    std::int32_t kind = 0;
    std::int32_t invoked = 0;        // Position of its invocation among the events.
    std::int32_t returned = kNever;  // Position of its completion among the events.
    std::int16_t slot = -1;          // Its bit while it is pending; -1: counted in the pool.
    Role role = Role::kOwed;
};

// An event is the number of an operation that is invoked, or its complement when it completes.
struct Timeline {
    std::vector<Operation> operations;  // In the order of their invocations.
    std::vector<std::int32_t> events;
    int slots = 0;

    static int operation_of(std::int32_t event) { return event < 0 ? ~event : event; }
};

// Collects operations in the order of their invocations and lays their events out.
//
// Slots are handed out again as soon as they are free, so that a set of slots is as wide as the
// most operations ever pending at once, not as the history is long. Crashed operations, which stay
// pending for ever, are better pooled.
class TimelineBuilder {
  public:
    explicit TimelineBuilder(std::size_t expected) {
        timeline_.operations.reserve(expected);
        timeline_.events.reserve(2 * expected);
    }

    void add(std::int32_t kind, std::int64_t invoked_rank, std::int64_t completed_rank, bool never,
             Role role) {
        complete_before(invoked_rank);
        auto number = static_cast<std::int32_t>(timeline_.operations.size());
        auto invoked = static_cast<std::int32_t>(timeline_.events.size());
        Operation operation{kind, invoked, kNever, -1, role};
        if (never && role == Role::kOwed) operation.role = Role::kOnce;
        if (role != Role::kPooled) operation.slot = take_slot();
        if (!never) push({completed_rank, number});
        timeline_.operations.push_back(operation);
        timeline_.events.push_back(number);
    }

    Timeline finish() {
        complete_before(std::numeric_limits<std::int64_t>::max());
        return std::move(timeline_);
    }

  private:
    struct Due {
        std::int64_t rank;
        std::int32_t number;
    };

    // A sorted vector, latest first: histories have few operations pending at once.
    void push(Due due) {
        auto at = pending_.end();
        while (at != pending_.begin() && (at - 1)->rank < due.rank) --at;
        pending_.insert(at, due);
    }

    void complete_before(std::int64_t rank) {
        while (!pending_.empty() && pending_.back().rank < rank) {
            auto number = pending_.back().number;
            pending_.pop_back();
            auto& operation = timeline_.operations[number];
            operation.returned = static_cast<std::int32_t>(timeline_.events.size());
            if (operation.slot >= 0) free_.push(operation.slot);
            timeline_.events.push_back(~number);
        }
    }

    std::int16_t take_slot() {
        if (free_.empty()) return static_cast<std::int16_t>(timeline_.slots++);
        auto slot = free_.top();
        free_.pop();
        return slot;
    }

    Timeline timeline_;
    std::vector<Due> pending_;
    std::priority_queue<std::int16_t, std::vector<std::int16_t>, std::greater<>> free_;
};

}  // namespace partita::search
