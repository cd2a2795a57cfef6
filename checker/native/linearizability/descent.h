// A descent: one order at a time, depth first (Wing and Gong 1993; Lowe 2017).
//
// It puts operations in order from the front and takes back what led nowhere. Its guess is the
// order in which they completed, which is nearly right in most histories. So it is quick where an
// order is easy to find though there are many of them, which is where a set of configurations
// grows large.
//
// At first it passes over what is seldom needed, so that it may miss an order, but never finds one
// that is none:
// - An operation that is possible and changes nothing is taken at once, and nothing else is
//   tried in its place. (That loses nothing if it never changes a state. It is believed not to
//   as long as it has not been seen to.)
// - A crashed operation is done only directly before a pending one that is impossible without
//   it. If that leads nowhere, a few may be done where another operation then leads elsewhere,
//   one and then more until an operation that is not always possible shows that this was right.
// - A place that was left is not entered again: the same operations done, but for crashed ones,
//   and the same state. Which crashed ones were used does not count, though it might help; else
//   there would be too many places.
//
// If all that was in vain, it goes once more and passes over nothing. If that leads nowhere
// either, there is no order. Crashed operations are then steps of their own, and
// which of them were used counts. Of two neighbours that can change places and lead to the same,
// only one order is tried: a crashed one comes last, and those of a kind that crashed later.
// The other order was tried before, from the place in front of both, and led nowhere. So what
// is said of a place that was left holds wherever one comes to it from: no order goes on there.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../limits.h"
#include "hashes.h"
#include "left.h"
#include "timeline.h"

namespace partita::search {

constexpr std::size_t kHashBytesMost = std::size_t{1} << 29;
constexpr int kSpareMost = 4;
constexpr int kLatest = 8;

template <class Problem>
class Descent {
  public:
    // With at most `few` crashed operations, it soon tries all of them everywhere.
    Descent(const Problem& problem, const Timeline& timeline, int few, const Limits& limits)
        : problem_(problem),
          operations_(timeline.operations),
          limits_(limits),
          few_(few),
          invoked_(owed(timeline, true), operations_.size()),
          completed_(owed(timeline, false), operations_.size()),
          pool_(problem.kinds()),
          asks_(problem.kinds()) {
        for (std::size_t kind = 0; kind < problem.kinds(); ++kind) {
            quiet_.push_back(!problem.knows_states() || !problem.changes(kind));
        }
        for (std::size_t i = 0; i < operations_.size(); ++i) {
            if (operations_[i].role != Role::kPooled) continue;
            ++crashed_;
            auto& pool = pool_[operations_[i].kind];
            if (pool.operations.empty()) {
                pool.place = static_cast<std::int32_t>(pooled_.size());
                pooled_.push_back(operations_[i].kind);
            }
            pool.operations.push_back(static_cast<std::int32_t>(i));
        }
        open(problem.initial());
    }

    bool found() const { return completed_.empty(); }
    bool refuted() const { return refuted_; }
    bool is_over() const { return found() || lost_ || refuted_; }
    // The first event that no order passes, once that is refuted.
    std::int32_t died() const { return furthest_; }
    std::size_t nodes() const { return nodes_; }

    // Goes on until it is over, or until the thread has had this much time.
    void run(double until) {
        while (!is_over()) {
            if ((++nodes_ & 0x3f) == 0) {
                limits_.look();
                if (Limits::spent() >= until) return;
            }
            if (!(is_complete_ ? go_anywhere() : go_forth())) go_back();
        }
    }

    // The numbers of the operations in the order found. Crashed ones not in it did not happen.
    std::vector<std::int32_t> order() const {
        std::vector<std::int32_t> numbers;
        std::vector<std::size_t> used(pool_.size());
        for (const auto& place : path_) {
            const auto helper = place.helper;
            if (helper >= 0) numbers.push_back(pool_[helper].operations[used[helper]++]);
            if (place.number >= 0) numbers.push_back(place.number);
        }
        return numbers;
    }

  private:
    // A place on the way down: the state there, what was done, and what is still to be tried.
    struct Place {
        std::int32_t state;
        std::int32_t number = -1;  // The operation done here; -1: none yet, or only a crashed one.
        std::int32_t helper = -1;  // The kind of the crashed one done before it; -1: none.
        bool is_alone = false;     // Its one candidate is enough.
        std::uint8_t unproven = 0; // Crashed operations done before that nobody needed or saw yet.
        std::size_t begin = 0;     // Its candidates are those from here on.
        std::int64_t tried = 0;    // So many candidates, then pairs of one and a helper.
    };

    // Crashed operations of a kind, in the order of their invocations. The first `used` are done.
    struct Pool {
        std::vector<std::int32_t> operations;
        std::size_t used = 0;
        std::int32_t place = 0;  // Among all kinds of crashed operations.
    };

    static std::vector<std::int32_t> owed(const Timeline& timeline, bool invoked) {
        std::vector<std::int32_t> numbers;
        for (auto event : timeline.events) {
            const auto number = Timeline::operation_of(event);
            const bool is_owed = timeline.operations[number].role == Role::kOwed;
            if (is_owed && (event >= 0) == invoked) numbers.push_back(number);
        }
        return numbers;
    }

    std::int32_t kind(std::int32_t number) const { return operations_[number].kind; }

    // What is done next must be invoked before anything that is left completes.
    std::int32_t horizon() const { return operations_[completed_.first()].returned; }

    // Comes to a new place: lists its candidates, those that complete first at the front.
    void open(std::int32_t state) {
        Place place{state};
        place.begin = candidates_.size();
        path_.push_back(place);
        if (completed_.empty()) return;
        const auto until = horizon();
        furthest_ = std::max(furthest_, until);
        for (auto number = invoked_.first();
             number != invoked_.end() && operations_[number].invoked < until;
             number = invoked_.after(number)) {
            if (is_quiet(state, kind(number))) {
                candidates_.resize(place.begin);
                candidates_.push_back(number);
                path_.back().is_alone = true;
                return;
            }
            auto at = candidates_.size();
            candidates_.push_back(number);
            const auto returned = operations_[number].returned;
            for (; at > place.begin && operations_[candidates_[at - 1]].returned > returned; --at) {
                candidates_[at] = candidates_[at - 1];
            }
            candidates_[at] = number;
        }
    }

    bool is_quiet(std::int32_t state, std::int32_t kind) {
        if (!quiet_[kind] || (is_complete_ && problem_.changes(kind))) return false;
        const auto after = problem_.next(state, kind);
        if (after != kImpossible && after != state) quiet_[kind] = false;
        if (after == state && problem_.changes(kind)) believed_ = true;
        return after == state;
    }

    // Does the next thing that can be tried at the last place; false if there is none.
    bool go_forth() {
        auto& place = path_.back();
        const auto count = static_cast<std::int64_t>(candidates_.size() - place.begin);
        while (place.tried < count) {
            const auto number = candidates_[place.begin + place.tried++];
            const auto after = problem_.next(place.state, kind(number));
            if (after == kImpossible) asks_[kind(number)] = true;
            else if (enter(number, -1, after)) return true;
        }
        return !place.is_alone && !pooled_.empty() && go_forth_with_help(count);
    }

    // Tries pairs of a candidate and a crashed operation before it: first the candidates that are
    // impossible without, then those for which it matters that it comes before.
    bool go_forth_with_help(std::int64_t count) {
        auto& place = path_.back();
        const auto until = horizon();
        const auto helpers = std::partition_point(pooled_.begin(), pooled_.end(), [&](auto each) {
            return operations_[pool_[each].operations.front()].invoked < until;
        }) - pooled_.begin();
        // Those that are not needed are tried only with the latest: it seldom takes effect late.
        const auto near = std::min<std::int64_t>(
            helpers, place.unproven < spare_ ? kLatest * spare_ : 0);
        const auto border = count * (1 + helpers);
        while (place.tried < border + count * near) {
            const bool needed = place.tried < border;
            const auto width = needed ? helpers : near;
            const auto at = place.tried - (needed ? count : border);
            const auto number = candidates_[place.begin + at / width];
            const auto alone = problem_.next(place.state, kind(number));
            if ((alone == kImpossible) != needed || problem_.overwrites(kind(number))) {
                place.tried += width - at % width;
                continue;
            }
            ++place.tried;
            const auto helper = pooled_[helpers - 1 - at % width];
            if (!is_left(helper, until)) continue;
            const auto after = helped(place.state, helper, kind(number), alone);
            const auto unproven = place.unproven;
            if (after == kImpossible || !enter(number, helper, after)) continue;
            if (!needed) path_.back().unproven = unproven + 1;
            return true;
        }
        return false;
    }

    // Does the next thing that can be tried at the last place, where nothing may be passed over.
    bool go_anywhere() {
        auto& place = path_.back();
        const auto count = static_cast<std::int64_t>(candidates_.size() - place.begin);
        while (place.tried < count) {
            const auto number = candidates_[place.begin + place.tried++];
            const auto after = problem_.next(place.state, kind(number));
            if (after == kImpossible || came_late(kind(number), after)) continue;
            if (enter(number, -1, after)) return true;
        }
        if (place.is_alone || completed_.empty()) return false;
        const auto until = horizon();
        while (place.tried < count + static_cast<std::int64_t>(pooled_.size())) {
            const auto helper = pooled_[place.tried++ - count];
            if (!is_left(helper, until)) continue;
            const auto after = problem_.next(place.state, helper);
            if (after == kImpossible || after == place.state) continue;
            if (came_before(helper) && came_late(helper, after)) continue;
            if (enter(-1, helper, after)) return true;
        }
        return false;
    }

    // Whether a crashed operation led here that could as well come after one of this kind.
    bool came_late(std::int32_t kind, std::int32_t after) {
        if (path_.size() < 2) return false;
        const auto& before = path_[path_.size() - 2];
        if (before.number >= 0) return false;
        const auto first = problem_.next(before.state, kind);
        return first != kImpossible && problem_.next(first, before.helper) == after;
    }

    // Whether crashed operations of this kind are tried before the one that led here.
    bool came_before(std::int32_t helper) const {
        if (path_.size() < 2 || path_[path_.size() - 2].number >= 0) return false;
        return pool_[helper].place < pool_[path_[path_.size() - 2].helper].place;
    }

    // Whether a crashed operation of a kind is left that was invoked before this.
    bool is_left(std::int32_t kind, std::int32_t until) const {
        const auto& pool = pool_[kind];
        return pool.used < pool.operations.size() &&
               operations_[pool.operations[pool.used]].invoked < until;
    }

    // The state after one kind and then another, which alone leads elsewhere; `kImpossible` as
    // well if it makes no difference that the one comes before the other.
    std::int32_t helped(std::int32_t state, std::int32_t helper, std::int32_t kind,
                        std::int32_t alone) {
        const auto between = problem_.next(state, helper);
        if (between == kImpossible || between == state) return kImpossible;
        const auto after = problem_.next(between, kind);
        if (after == kImpossible || alone == kImpossible) return after;
        return after == alone || after == problem_.next(alone, helper) ? kImpossible : after;
    }

    // Goes down one step, unless that place was entered before.
    bool enter(std::int32_t number, std::int32_t helper, std::int32_t after) {
        const bool proves = number < 0 || path_.back().is_alone || asks_[kind(number)];
        const auto unproven = proves ? 0 : path_.back().unproven;
        const auto done = done_ ^ step(number, helper);
        if (!entered_.add(done ^ Hash::of(~static_cast<std::uint64_t>(after)))) return false;
        if (entered_.is_full() && !make_room()) return false;
        path_.back().number = number;
        path_.back().helper = helper;
        done_ = done;
        if (number >= 0) {
            invoked_.take(number);
            completed_.take(number);
        }
        if (helper >= 0) ++pool_[helper].used;
        open(after);
        path_.back().unproven = unproven;
        return true;
    }

    // What a step that is about to be done adds to the hash of all that was done.
    Hash step(std::int32_t number, std::int32_t helper) const {
        if (number >= 0) return Hash::of(number);
        const auto& pool = pool_[helper];
        return Hash::of(pool.operations[pool.used]);
    }

    bool make_room() {
        const auto bytes = entered_.bytes();
        lost_ = lost_ || 2 * bytes > kHashBytesMost || !limits_.has_room(2 * bytes);
        if (!lost_) entered_.grow();
        return !lost_;
    }

    // Leaves the last place, and takes back what led there.
    void go_back() {
        candidates_.resize(path_.back().begin);
        path_.pop_back();
        if (lost_) return forget();
        if (path_.empty()) return start_anew();
        const auto& place = path_.back();
        if (place.helper >= 0) --pool_[place.helper].used;
        done_ = done_ ^ step(place.number, place.helper);
        if (place.number < 0) return;
        completed_.put_back(place.number);
        invoked_.put_back(place.number);
    }

    // Everything was tried: next with more to spare, if that makes a difference. At last nothing
    // is passed over.
    void start_anew() {
        forget();
        refuted_ = is_complete_ || (pooled_.empty() && !believed_);
        if (refuted_) return;
        is_complete_ = crashed_ <= few_ || spare_ == kSpareMost;
        spare_ = spare_ == 0 ? 1 : 2 * spare_;
        open(problem_.initial());
    }

    void forget() {
        entered_ = {};
        candidates_ = {};
        path_ = {};
    }

    const Problem& problem_;
    const std::vector<Operation>& operations_;
    const Limits& limits_;
    int few_, crashed_ = 0;              // How many crashed operations are few, and how many are.
    Left invoked_, completed_;           // Those that are not done, by these events.
    std::vector<Pool> pool_;             // By kind.
    std::vector<std::int32_t> pooled_;   // The kinds of crashed operations, as they came.
    std::vector<bool> quiet_;            // By kind: whether it was never seen to change a state.
    std::vector<bool> asks_;             // By kind: whether it was seen to be impossible.
    std::vector<Place> path_;
    std::vector<std::int32_t> candidates_;
    Hashes entered_;
    Hash done_;  // Of the operations done.
    std::size_t nodes_ = 0;
    int spare_ = 0;  // How many crashed operations may be done that nobody needed or saw yet.
    std::int32_t furthest_ = 0;  // The last event up to which there was an order.
    bool believed_ = false;      // Whether it relied on what was only never seen to be otherwise.
    bool is_complete_ = false;   // Whether nothing is passed over any more.
    bool refuted_ = false;
    bool lost_ = false;          // Whether there is no room for it.
};

}  // namespace partita::search
