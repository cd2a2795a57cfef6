#include "growing_set.h"

#include <tuple>

namespace partita::monitors {

Finding GrowingSet::check() {
    try {
        note_adds();
        sort_reads();
        for (size_t from = 0, to = 0; from < reads_.size(); from = to) {
            const int32_t size = size_of_[ops_[reads_[from]].what];
            while (to < reads_.size() && size_of_[ops_[reads_[to]].what] == size) to++;
            place_reads_of_one_size(from, to);
        }
        place_unread();
        return {};
    } catch (const Finding& finding) {
        return finding;
    }
}

void GrowingSet::note_adds() {
    for (int32_t i = 0; i < static_cast<int32_t>(ops_.size()); i++) {
        limits_.poll();
        const SetOperation& op = ops_[i];
        if (op.is_read) {
            if (!op.crashed()) reads_.push_back(i);
            continue;
        }
        Element& element = adds_[op.what];
        if (op.invoked < element.from.moment) element.from = {op.invoked, i};
        if (op.completed < element.until.moment) element.until = {op.completed, i};
    }
}

// Counts the different elements of a list, each list once.
void GrowingSet::measure(int32_t read) {
    const int32_t list = ops_[read].what;
    int32_t size = 0;
    for (const int32_t* at = contents_.begin(list); at != contents_.end(list); ++at) {
        limits_.poll();
        Element& element = adds_[*at];
        if (element.from.operation == none) contradict("never added", {read});
        if (element.size == list) continue;
        element.size = list;  // for the time being: the last list that named it
        size++;
    }
    size_of_[list] = size;
}

void GrowingSet::sort_reads() {
    for (const int32_t read : reads_) {
        if (size_of_[ops_[read].what] == none) measure(read);
    }
    for (Element& element : adds_) element.size = none;
    std::stable_sort(reads_.begin(), reads_.end(), [&](int32_t a, int32_t b) {
        return size_of_[ops_[a].what] < size_of_[ops_[b].what];
    });
    read_at_.assign(reads_.size(), none);
}

// The reads that name so many elements must name the same ones, among them all that smaller
// reads name. What is new came in after those, and before these.
void GrowingSet::place_reads_of_one_size(size_t from, size_t to) {
    const int32_t first = reads_[from], list = ops_[first].what, size = size_of_[list];
    std::vector<int32_t> fresh;
    for (const int32_t* at = contents_.begin(list); at != contents_.end(list); ++at) {
        limits_.poll();
        if (adds_[*at].size != none) continue;
        adds_[*at].size = size;
        fresh.push_back(*at);
    }
    if (size - static_cast<int32_t>(fresh.size()) != known_) {
        contradict("disagree", {previous_, first});
    }
    const Mark before = latest_;
    for (const int32_t each : fresh) {
        Element& element = adds_[each];
        if (before.moment > element.until.moment) contradict_lost(element, before);
        element.at = std::max(before.moment, element.from.moment);
    }
    for (const int32_t each : fresh) {
        latest_.raise(adds_[each].from.moment, adds_[each].from.operation);
    }
    known_ = size;
    const Mark begin = latest_;
    int32_t compared = list;
    for (size_t i = from; i < to; i++) {
        const SetOperation& read = ops_[reads_[i]];
        if (read.what != compared) {
            compared = read.what;
            for (const int32_t* at = contents_.begin(compared); at != contents_.end(compared); ++at) {
                limits_.poll();
                if (adds_[*at].size == none) contradict("disagree", {first, reads_[i]});
            }
        }
        if (begin.moment > read.completed) contradict("too early", {reads_[i], begin.operation});
        read_at_[i] = std::max(begin.moment, read.invoked);
        latest_.raise(read.invoked, reads_[i]);
        latest_read_.raise(read.invoked, reads_[i]);
    }
    previous_ = first;
}

// What no read names came in after all of them, unless nobody knows that it ever did.
void GrowingSet::place_unread() {
    for (Element& element : adds_) {
        limits_.poll();
        if (element.from.operation == none || element.size != none) continue;
        if (latest_.moment > element.until.moment) contradict_lost(element, latest_);
        if (element.until.moment == never) continue;
        element.at = std::max(latest_.moment, element.from.moment);
    }
}

// A read that began after an add was over does not name its element; or it names another one
// whose add began after that. The former is said with fewer operations.
void GrowingSet::contradict_lost(const Element& element, const Mark& latest) const {
    const int32_t add = element.until.operation;
    if (latest_read_.moment > element.until.moment) {
        contradict("lost", {add, latest_read_.operation});
    }
    contradict("overtaken", {add, latest.operation, previous_});
}

std::vector<int32_t> GrowingSet::order() const {
    struct Event {
        Moment moment;
        int64_t rank;  // at the same moment: by size, what is added before what reads it
        int32_t operation;
        auto key() const { return std::tie(moment, rank, operation); }
    };
    std::vector<Event> events;
    for (size_t i = 0; i < reads_.size(); i++) {
        const int64_t size = size_of_[ops_[reads_[i]].what];
        events.push_back({read_at_[i], 2 * size + 1, reads_[i]});
    }
    for (int32_t i = 0; i < static_cast<int32_t>(ops_.size()); i++) {
        if (ops_[i].is_read || adds_[ops_[i].what].at == none) continue;
        const Element& element = adds_[ops_[i].what];
        const int64_t size = element.size == none ? never : element.size;
        events.push_back({std::max(element.at, ops_[i].invoked), 2 * size, i});
    }
    std::sort(events.begin(), events.end(),
              [](const Event& a, const Event& b) { return a.key() < b.key(); });
    std::vector<int32_t> order;
    for (const Event& event : events) order.push_back(event.operation);
    return order;
}

}  // namespace partita::monitors
