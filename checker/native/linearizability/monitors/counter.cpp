#include "counter.h"

#include <queue>
#include <tuple>

namespace partita::monitors {

Finding CounterMonitor::check() {
    try {
        sort_out();
        count_reads();
        bound_slots();
        fill_slots();
        return {};
    } catch (const Finding& finding) {
        return finding;
    }
}

// Additions of nothing fit anywhere, and so do reads without an answer.
void CounterMonitor::sort_out() {
    for (int32_t i = 0; i < static_cast<int32_t>(ops_.size()); i++) {
        limits_.poll();
        if (ops_[i].is_read) {
            if (!ops_[i].crashed()) reads_.push_back(i);
        } else if (ops_[i].amount != 0) {
            adds_.push_back(i);
            if (ops_[i].amount != ops_[adds_[0]].amount) decline("steps", {adds_[0], i});
        }
    }
}

void CounterMonitor::count_reads() {
    const int64_t step = adds_.empty() ? 1 : ops_[adds_[0]].amount;
    count_.assign(ops_.size(), 0);
    for (const int32_t read : reads_) {
        limits_.poll();
        const __int128 sum = static_cast<__int128>(ops_[read].amount) - initial_;
        const __int128 count = sum / step;
        if (sum % step != 0 || count < 0 || count > static_cast<__int128>(adds_.size())) {
            contradict("no such sum", {read});
        }
        count_[read] = static_cast<int32_t>(count);
        slots_ = std::max(slots_, count_[read]);
    }
}

void CounterMonitor::bound_slots() {
    after_.assign(slots_ + 2, {none, none});
    before_.assign(slots_ + 2, {never, none});
    for (const int32_t read : reads_) {
        Bound &after = after_[count_[read] + 1], &before = before_[count_[read]];
        if (ops_[read].invoked > after.moment) after = {ops_[read].invoked, read};
        if (ops_[read].completed < before.moment) before = {ops_[read].completed, read};
    }
    for (int32_t i = 1; i <= slots_ + 1; i++) {
        if (after_[i - 1].moment > after_[i].moment) after_[i] = after_[i - 1];
    }
    for (int32_t i = slots_; i >= 0; i--) {
        if (before_[i + 1].moment < before_[i].moment) before_[i] = before_[i + 1];
    }
    for (int32_t i = 1; i <= slots_; i++) {
        if (after_[i].moment > before_[i].moment) {
            contradict("shrank", {before_[i].read, after_[i].read});
        }
    }
}

// The slots that an addition may fill are a run of them. A first one beyond the last slot: it
// came after all that was read. A last one of `never`: nothing shows that it happened in time.
int32_t CounterMonitor::first_slot(int32_t add) const {
    const auto at = std::partition_point(
        before_.begin() + 1, before_.begin() + slots_ + 1,
        [&](const Bound& before) { return before.moment < ops_[add].invoked; });
    return static_cast<int32_t>(at - before_.begin());
}

int32_t CounterMonitor::last_slot(int32_t add) const {
    if (ops_[add].completed > after_[slots_ + 1].moment) return never;
    const auto at = std::partition_point(
        after_.begin() + 1, after_.begin() + slots_ + 2,
        [&](const Bound& after) { return after.moment < ops_[add].completed; });
    return static_cast<int32_t>(at - after_.begin()) - 1;
}

// Slot by slot, of the additions that may fill it the one that ends first.
void CounterMonitor::fill_slots() {
    std::vector<std::pair<int32_t, int32_t>> coming;  // by first slot
    for (const int32_t add : adds_) {
        limits_.poll();
        const int32_t first = first_slot(add);
        if (last_slot(add) < first) contradict_crowded(add, first);
        if (first <= slots_) coming.push_back({first, add});
    }
    std::stable_sort(coming.begin(), coming.end(),
                     [](auto& a, auto& b) { return a.first < b.first; });
    using Ending = std::pair<Moment, int32_t>;
    std::priority_queue<Ending, std::vector<Ending>, std::greater<>> open;
    filled_by_.assign(slots_ + 1, none);
    auto next = coming.begin();
    for (int32_t slot = 1; slot <= slots_; slot++) {
        limits_.poll();
        for (; next != coming.end() && next->first == slot; ++next) {
            open.push({ops_[next->second].completed, next->second});
        }
        if (open.empty()) contradict("too few", {before_[slot].read});
        const int32_t add = open.top().second;
        open.pop();
        if (last_slot(add) < slot) contradict_crowded(add, slot);
        filled_by_[slot] = add;
    }
    if (!open.empty() && last_slot(open.top().second) != never) {
        contradict_crowded(open.top().second, slots_ + 1);
    }
}

// An addition finds its slots taken. Back to the last slot given to one that could have waited:
// all since then had to come after a read of so many, and before a read of too few more. Named:
// these two reads (none, where there is no first), then one addition more than there is room for.
void CounterMonitor::contradict_crowded(int32_t add, int32_t slot) const {
    const int32_t last = last_slot(add);
    std::vector<int32_t> named{none, after_[last + 1].read, add};
    int32_t start = std::min(slot, first_slot(add)) - 1;
    if (last >= first_slot(add)) {
        start = slot - 1;
        while (start > 0 && last_slot(filled_by_[start]) <= last) start--;
        for (int32_t i = start + 1; i < slot; i++) {
            if (static_cast<int32_t>(named.size()) - 2 > last - start) break;
            named.push_back(filled_by_[i]);
        }
    }
    if (start > 0) named[0] = before_[start].read;
    contradict("too many", named);
}

std::vector<int32_t> CounterMonitor::order() const {
    struct Event {
        Moment moment;
        int64_t rank;  // at the same moment: by count, an addition before the reads that saw it
        int32_t operation;
        auto key() const { return std::tie(moment, rank, operation); }
    };
    std::vector<Event> events;
    std::vector<Moment> filled_at(slots_ + 1, none);
    std::vector<uint8_t> is_placed(ops_.size(), 0);
    for (int32_t i = 1; i <= slots_; i++) {
        const int32_t add = filled_by_[i];
        filled_at[i] = std::max({filled_at[i - 1], after_[i].moment, ops_[add].invoked});
        events.push_back({filled_at[i], 2 * int64_t{i}, add});
        is_placed[add] = 1;
    }
    const Moment end = std::max(after_[slots_ + 1].moment, filled_at[slots_]);
    for (int32_t i = 0; i < static_cast<int32_t>(ops_.size()); i++) {
        const CounterOperation& op = ops_[i];
        if (op.crashed() || is_placed[i]) continue;
        if (op.is_read) {
            const Moment moment = std::max(op.invoked, filled_at[count_[i]]);
            events.push_back({moment, 2 * int64_t{count_[i]} + 1, i});
        } else {
            const Moment moment = op.amount == 0 ? op.invoked : std::max(end, op.invoked);
            events.push_back({moment, never, i});
        }
    }
    std::sort(events.begin(), events.end(),
              [](const Event& a, const Event& b) { return a.key() < b.key(); });
    std::vector<int32_t> order;
    for (const Event& event : events) order.push_back(event.operation);
    return order;
}

}  // namespace partita::monitors
