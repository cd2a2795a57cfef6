// The fewest operations of a queue that contradict each other.

#include <unordered_map>

#include "queue.h"

namespace partita::monitors {
namespace {

// Beyond it a reader does not follow, and shrinking takes long.
constexpr size_t shrunk_max = 64;

}  // namespace

// m + 1 values that had to be out before b was, and the m unknown takes that there were. The
// first such moment has the fewest. Named: the puts, then b's put and take, then the takes.
void Queue::contradict_left_behind(Moment due) const {
    const size_t takes = begun_takes_[due];
    std::vector<const Value*> out;
    for (const Value& value : stayed_) {
        if (value.due <= due) out.push_back(&value);
        if (out.size() == takes + 1) break;
    }
    const Value* b = nullptr;
    for (const Value& value : taken_) {
        if (value.put_from <= out.back()->put_until) continue;
        if (b == nullptr || value.take_until < b->take_until) b = &value;
    }
    std::vector<int32_t> named;
    for (const Value* value : out) named.push_back(value->put);
    named.insert(named.end(), {b->put, b->take});
    named.insert(named.end(), unknown_takes_.begin(), unknown_takes_.begin() + takes);
    contradict("left behind", named);
}

// Named: the answer, then the puts and takes of what kept it from being empty, then the unknown
// takes that cannot help.
void Queue::contradict_not_empty(int32_t empty) const {
    std::vector<int32_t> named = what_fills(empty);
    contradict("not empty", is_part_ ? named : fewest(named));
}

// At each moment what keeps it from being empty the longest: a value that was surely inside, or
// more of those that stayed than unknown takes had begun.
std::vector<int32_t> Queue::what_fills(int32_t empty) const {
    std::vector<int32_t> named{empty};
    std::vector<const Value*> values;
    for (const Value& value : taken_) values.push_back(&value);
    std::sort(values.begin(), values.end(),
              [](const Value* a, const Value* b) { return a->put_until < b->put_until; });
    size_t at = 0, stayed = 0, takes = 0;
    const Value* longest = nullptr;
    for (Moment m = ops_[empty].invoked; m < ops_[empty].completed;) {
        for (; at < values.size() && values[at]->put_until <= m; at++) {
            if (longest == nullptr || values[at]->take_from > longest->take_from) {
                longest = values[at];
            }
        }
        const size_t begun = begun_takes_[m + 1];
        Moment counted_until = none;
        if (stayed_.size() > begun && stayed_[begun].put_until <= m) {
            const bool is_last = begun == unknown_takes_.size();
            counted_until = is_last ? never : ops_[unknown_takes_[begun]].invoked;
        }
        if (longest != nullptr && longest->take_from > m && longest->take_from >= counted_until) {
            named.insert(named.end(), {longest->put, longest->take});
            m = longest->take_from;
        } else {
            stayed = begun + 1;
            takes = begun;
            m = counted_until;
        }
    }
    for (size_t i = 0; i < stayed; i++) named.push_back(stayed_[i].put);
    named.insert(named.end(), unknown_takes_.begin(), unknown_takes_.begin() + takes);
    return named;
}

// Leaves out whatever is not needed for these to be a contradiction by themselves.
std::vector<int32_t> Queue::fewest(std::vector<int32_t> named) const {
    if (named.size() > shrunk_max) return named;
    for (size_t i = 1; i < named.size();) {
        // A value goes with its take; the takes of unknown outcome stand last.
        const bool is_pair = i + 1 < named.size() && ops_[named[i]].act == Act::put &&
                             ops_[named[i + 1]].act == Act::take && !ops_[named[i + 1]].crashed();
        std::vector<int32_t> rest(named);
        rest.erase(rest.begin() + i, rest.begin() + i + (is_pair ? 2 : 1));
        if (contradict_alone(rest)) {
            named = rest;
        } else {
            i += is_pair ? 2 : 1;
        }
    }
    return named;
}

bool Queue::contradict_alone(const std::vector<int32_t>& chosen) const {
    std::vector<QueueOperation> ops;
    std::unordered_map<int32_t, int32_t> values;
    for (const int32_t i : chosen) {
        ops.push_back(ops_[i]);
        int32_t& value = ops.back().value;
        if (value != none) value = values.emplace(value, values.size()).first->second;
    }
    std::vector<std::pair<Moment, Moment*>> events;
    for (QueueOperation& op : ops) {
        events.push_back({op.invoked, &op.invoked});
        if (!op.crashed()) events.push_back({op.completed, &op.completed});
    }
    std::sort(events.begin(), events.end());
    for (size_t i = 0; i < events.size(); i++) *events[i].second = static_cast<Moment>(i);
    Queue part(ops, static_cast<int32_t>(values.size()), is_fifo_, limits_);
    part.is_part_ = true;
    return part.check().answer == Answer::invalid;
}

}  // namespace partita::monitors
