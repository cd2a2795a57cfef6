#include "queue.h"

namespace partita::monitors {

Finding Queue::check() {
    try {
        sort_out();
        if (is_fifo_) {
            find_disorder();
            find_left_behind();
        }
        find_empty_moments();
        return {};
    } catch (const Finding& finding) {
        return finding;
    }
}

// Rule 1, and which values count. A crashed put of a value that nobody is known to have taken
// is left out, and so is a crashed look that may have found nothing.
void Queue::sort_out() {
    for (int32_t i = 0; i < size(); i++) {
        limits_.poll();
        const QueueOperation& op = ops_[i];
        end_ = std::max({end_, op.invoked + 1, op.crashed() ? 0 : op.completed + 1});
        if (op.act == Act::take && op.crashed()) unknown_takes_.push_back(i);
        if (op.act == Act::find_empty && !op.crashed()) empties_.push_back(i);
    }
    std::vector<int32_t> doubtful;  // two puts of a value that was taken
    std::vector<int32_t> puts, takes;
    const std::vector<int32_t> order = by_value();
    for (auto at = order.begin(); at != order.end();) {
        limits_.poll();
        puts.clear();
        takes.clear();
        const int32_t value = ops_[*at].value;
        for (; at != order.end() && ops_[*at].value == value; ++at) {
            (ops_[*at].act == Act::put ? puts : takes).push_back(*at);
        }
        if (puts.size() < 2 || takes.empty() || takes.size() > puts.size()) {
            note_value(puts, takes);
        } else if (doubtful.empty()) {
            doubtful = {puts[0], puts[1]};
        }
    }
    if (!doubtful.empty()) decline("repeated", doubtful);
    std::sort(stayed_.begin(), stayed_.end(),
              [](const Value& a, const Value& b) { return a.put_until < b.put_until; });
    begun_takes_.assign(end_ + 2, 0);
    for (const int32_t i : unknown_takes_) begun_takes_[ops_[i].invoked + 1]++;
    for (Moment m = 1; m < end_ + 2; m++) begun_takes_[m] += begun_takes_[m - 1];
}

// The puts and the answered takes, those of one value together.
std::vector<int32_t> Queue::by_value() const {
    auto counts = [](const QueueOperation& op) {
        return op.act == Act::put || (op.act == Act::take && !op.crashed());
    };
    std::vector<int32_t> place(value_count_ + 1, 0);
    for (const QueueOperation& op : ops_) {
        if (counts(op)) place[op.value + 1]++;
    }
    for (int32_t value = 0; value < value_count_; value++) place[value + 1] += place[value];
    std::vector<int32_t> order(place[value_count_]);
    for (int32_t i = 0; i < size(); i++) {
        if (counts(ops_[i])) order[place[ops_[i].value]++] = i;
    }
    return order;
}

void Queue::note_value(const std::vector<int32_t>& puts, const std::vector<int32_t>& takes) {
    if (puts.empty()) contradict("never put", {takes[0]});
    if (takes.size() > puts.size()) {
        std::vector<int32_t> named(takes.begin(), takes.begin() + puts.size() + 1);
        named.insert(named.end(), puts.begin(), puts.end());
        contradict("taken again", named);
    }
    if (takes.empty()) {
        for (const int32_t i : puts) {
            const QueueOperation& put = ops_[i];
            if (put.crashed()) continue;
            stayed_.push_back({i, none, put.invoked, put.completed, never, never});
        }
        return;
    }
    const QueueOperation &put = ops_[puts[0]], &take = ops_[takes[0]];
    if (take.completed < put.invoked) contradict("taken before", {puts[0], takes[0]});
    taken_.push_back({puts[0], takes[0], put.invoked, std::min(put.completed, take.completed),
                      std::max(take.invoked, put.invoked), take.completed});
}

// Rule 2: a was in before b, but b came out before a. Of what is in at b's beginning, the one
// that was taken last says it.
void Queue::find_disorder() const {
    std::vector<int32_t> begins(end_, none), ends(end_, none);
    for (int32_t v = 0; v < static_cast<int32_t>(taken_.size()); v++) {
        begins[taken_[v].put_from] = v;
        ends[taken_[v].put_until] = v;
    }
    const Value* latest = nullptr;
    for (Moment m = 0; m < end_; m++) {
        limits_.poll();
        if (ends[m] != none) {
            const Value& in = taken_[ends[m]];
            if (latest == nullptr || in.take_from > latest->take_from) latest = &in;
        }
        if (begins[m] == none || latest == nullptr) continue;
        const Value& b = taken_[begins[m]];
        if (latest->take_from > b.take_until) {
            contradict("disorder", {latest->put, b.put, b.take, latest->take});
        }
    }
}

// Rule 3: what stayed, though it was in before a value that was taken, must have been taken by
// an unknown take, and each of these takes one. They differ only in when they began, so that
// it is enough to count.
void Queue::find_left_behind() {
    std::vector<Moment> due(end_ + 1, never);
    for (const Value& value : taken_) due[value.put_from] = value.take_until;
    for (Moment m = end_ - 1; m >= 0; m--) due[m] = std::min(due[m], due[m + 1]);
    std::vector<int32_t> needed(end_ + 1, 0);
    for (Value& value : stayed_) {
        value.due = due[value.put_until + 1];
        if (value.due != never) needed[value.due]++;
    }
    int32_t sum = 0;
    for (Moment m = 0; m < end_; m++) {
        limits_.poll();
        sum += needed[m];
        if (sum > begun_takes_[m]) contradict_left_behind(m);
    }
}

// Rule 4: each answer that it was empty needs a moment at which nothing was surely inside, and
// of what stayed no more than the unknown takes that had begun.
void Queue::find_empty_moments() {
    if (empties_.empty()) return;
    std::vector<int32_t> change(end_ + 1, 0), enters(end_ + 1, 0);
    for (const Value& value : taken_) {
        if (value.put_until >= value.take_from) continue;
        change[value.put_until]++;
        change[value.take_from]--;
    }
    for (const Value& value : stayed_) enters[value.put_until]++;
    std::vector<uint8_t> may_be_empty(end_, 0);
    int32_t inside = 0, stayed = 0;
    for (Moment m = 0; m < end_; m++) {
        limits_.poll();
        inside += change[m];
        stayed += enters[m];
        may_be_empty[m] = inside == 0 && stayed <= begun_takes_[m + 1];
    }
    std::vector<Moment> next(end_ + 1, never);
    for (Moment m = end_ - 1; m >= 0; m--) next[m] = may_be_empty[m] ? m : next[m + 1];
    for (const int32_t empty : empties_) {
        const Moment at = next[ops_[empty].invoked];
        if (at >= ops_[empty].completed) contradict_not_empty(empty);
        empty_at_.push_back(at);
    }
}

}  // namespace partita::monitors
