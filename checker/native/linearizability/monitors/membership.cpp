#include "membership.h"

namespace partita::monitors {

int32_t Membership::stuck() {
    struct Event {
        Moment moment;
        int32_t place;
        bool is_end;
    };
    std::vector<Event> events;
    for (int32_t i = 0; i < static_cast<int32_t>(ops_.size()); i++) {
        if (ops_[i].crashed() && ops_[i].asks()) continue;
        events.push_back({ops_[i].invoked, i, false});
        if (!ops_[i].crashed()) events.push_back({ops_[i].completed, i, true});
    }
    std::sort(events.begin(), events.end(),
              [](const Event& a, const Event& b) { return a.moment < b.moment; });
    pending_.fill(none);
    possible_.clear();
    note(possible_, is_in_at_first_ ? 1 : 0, {0, 0, none});
    for (const Event& event : events) {
        if (!event.is_end) {
            invoke(event.place);
        } else if (!complete(event.place)) {
            return event.place;
        }
    }
    return none;
}

std::vector<int32_t> Membership::order() const {
    std::vector<int32_t> places;
    for (int32_t at = possible_.begin()->second.front().trail; at != none; at = steps_[at].before) {
        places.push_back(steps_[at].place);
    }
    std::reverse(places.begin(), places.end());
    return places;
}

int32_t Membership::step(int32_t before, int32_t place) {
    steps_.push_back({before, place});
    return static_cast<int32_t>(steps_.size()) - 1;
}

// What has been used after an operation and the questions that it answered, with its trail.
Membership::Used Membership::stepped(Used used, int32_t place, uint64_t key, uint64_t answered) {
    if (!ordered_) return used;
    if (place != none) used.trail = step(used.trail, place);
    for (int slot = 0; slot < slots_max; slot++) {
        if (answered & ~key & bit(slot)) used.trail = step(used.trail, pending_[slot]);
    }
    return used;
}

void Membership::invoke(int32_t place) {
    const MemberOperation& op = ops_[place];
    if (op.crashed()) {
        (op.act == Member::add ? crashed_adds_ : crashed_removes_).push_back(place);
        return;
    }
    int slot = 0;
    while (slot < slots_max && pending_[slot] != none) slot++;
    if (slot == slots_max) decline("crowded", {});
    pending_[slot] = place;
    if (!op.asks()) return;
    Possible after;
    for (const auto& [key, uses] : possible_) {
        const uint64_t answered = with_answers(key);
        for (const Used& used : uses) note(after, answered, stepped(used, none, key, answered));
    }
    possible_ = std::move(after);
}

// A question that is answered by the state as it is has been done: that costs nothing.
uint64_t Membership::with_answers(uint64_t key) const {
    for (int slot = 0; slot < slots_max; slot++) {
        if (pending_[slot] == none) continue;
        const MemberOperation& op = ops_[pending_[slot]];
        if (op.asks() && op.leaves_in() == ((key & 1) != 0)) key |= bit(slot);
    }
    return key;
}

// Of the pending operations that do the same, the one that must be over first is taken first.
int Membership::earliest(Member act, uint64_t key) const {
    int found = none;
    for (int slot = 0; slot < slots_max; slot++) {
        if (pending_[slot] == none || (key & bit(slot)) || ops_[pending_[slot]].act != act) continue;
        if (found == none || ops_[pending_[slot]].completed < ops_[pending_[found]].completed) {
            found = slot;
        }
    }
    return found;
}

// Puts pending operations into the order until this one has been done, in all ways. Returns false
// if there is none.
bool Membership::complete(int32_t place) {
    int own = 0;
    while (pending_[own] != place) own++;
    Possible seen, after;
    std::vector<std::pair<uint64_t, Used>> left;
    auto reach = [&](uint64_t key, Used used) {
        if (key & bit(own)) {
            note(after, key & ~bit(own), used);
        } else if (note(seen, key, used)) {
            left.push_back({key, used});
        }
    };
    for (const auto& [key, uses] : possible_) {
        for (const Used& used : uses) reach(key, used);
    }
    while (!left.empty()) {
        limits_.poll();
        if (seen.size() + after.size() + left.size() > possible_max) decline("crowded", {});
        const auto [key, used] = left.back();
        left.pop_back();
        for (const Member act : {Member::add, Member::remove}) {
            const uint64_t is_in = act == Member::add ? 1 : 0;
            const uint64_t changed = (key & ~uint64_t{1}) | is_in;
            const int slot = earliest(act, key);
            if (slot != none) {
                const uint64_t done = changed | bit(slot), answered = with_answers(done);
                reach(answered, stepped(used, pending_[slot], done, answered));
            }
            Used more = used;
            int32_t& count = is_in ? more.adds : more.removes;
            const std::vector<int32_t>& begun = is_in ? crashed_adds_ : crashed_removes_;
            if (changed != key && ++count <= static_cast<int32_t>(begun.size())) {
                const uint64_t answered = with_answers(changed);
                reach(answered, stepped(more, begun[count - 1], changed, answered));
            }
        }
    }
    pending_[own] = none;
    possible_ = std::move(after);
    return !possible_.empty();
}

// Returns false if this needs no less than what has been noted.
bool Membership::note(Possible& possible, uint64_t key, Used used) {
    std::vector<Used>& uses = possible[key];
    for (const Used& each : uses) {
        if (each.within(used)) return false;
    }
    uses.erase(std::remove_if(uses.begin(), uses.end(),
                              [&](const Used& each) { return used.within(each); }),
               uses.end());
    uses.push_back(used);
    return true;
}

}  // namespace partita::monitors
