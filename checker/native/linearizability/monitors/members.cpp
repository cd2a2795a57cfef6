#include "members.h"

#include <limits>

#include "membership.h"

namespace partita::monitors {
namespace {

// How many operations may be looked at, over and over, to leave out what is not needed.
constexpr int64_t explaining_max = 4'000'000;

// What contradicts itself, whether or not the other operations happened: they are made optional,
// more and more of them. Returns places; only the last operation, if that takes too long.
std::vector<int32_t> fewest(std::vector<MemberOperation> ops, bool is_in, int32_t last,
                            Limits& limits) {
    std::vector<int32_t> needed;
    for (int32_t i = 0; i < static_cast<int32_t>(ops.size()); i++) {
        if (ops[i].completed > ops[last].completed) {
            ops[i].completed = never;  // what was not over yet may have happened or not
        } else if (i != last) {
            needed.push_back(i);
        }
    }
    int64_t work = 0;
    for (size_t chunk = (needed.size() + 1) / 2; chunk > 0;) {
        for (size_t from = 0; from < needed.size();) {
            work += static_cast<int64_t>(ops.size());
            if (work > explaining_max) return {last};
            const size_t to = std::min(from + chunk, needed.size());
            std::vector<MemberOperation> fewer(ops);
            for (size_t i = from; i < to; i++) fewer[needed[i]].completed = never;
            bool is_stuck = false;
            try {
                is_stuck = Membership(fewer, is_in, limits).stuck() != none;
            } catch (const Finding&) {
            }
            if (is_stuck) {
                ops = std::move(fewer);
                needed.erase(needed.begin() + from, needed.begin() + to);
            } else {
                from = to;
            }
        }
        chunk = chunk == 1 ? 0 : (chunk + 1) / 2;
    }
    needed.push_back(last);
    return needed;
}

// The operations on each element together: their places.
std::vector<std::vector<int32_t>> by_element(const std::vector<MemberOperation>& ops,
                                             int32_t elements) {
    std::vector<std::vector<int32_t>> places(elements);
    for (int32_t i = 0; i < static_cast<int32_t>(ops.size()); i++) {
        places[ops[i].element].push_back(i);
    }
    return places;
}

using Placed = std::pair<Moment, int32_t>;

// Gives the operations on one element moments that rise with their order, as early as possible:
// elements are independent, so that all of them can be put together by these.
void place(const std::vector<int32_t>& order, const std::vector<MemberOperation>& own,
           const std::vector<int32_t>& places, std::vector<Placed>& placed) {
    Moment moment = std::numeric_limits<Moment>::min();
    for (const int32_t i : order) {
        moment = std::max(moment, own[i].invoked);
        placed.push_back({moment, places[i]});
    }
}

}  // namespace

Finding check_members(const std::vector<MemberOperation>& operations, int32_t elements,
                      int32_t present, Limits& limits, std::vector<int32_t>* order) {
    Finding doubt;
    std::vector<Placed> placed;
    int32_t element = 0;
    for (const std::vector<int32_t>& places : by_element(operations, elements)) {
        const bool is_in = element++ < present;
        std::vector<MemberOperation> own;
        for (const int32_t place : places) own.push_back(operations[place]);
        try {
            limits.look();
            Membership membership(own, is_in, limits, order != nullptr);
            const int32_t last = membership.stuck();
            if (last == none) {
                if (order != nullptr) place(membership.order(), own, places, placed);
                continue;
            }
            std::vector<int32_t> named;
            for (const int32_t i : fewest(own, is_in, last, limits)) named.push_back(places[i]);
            return {Answer::invalid, "stuck", named};
        } catch (const Finding& declined) {
            doubt = declined;
        }
    }
    if (order != nullptr) {
        std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
            return a.first < b.first;
        });
        for (const Placed& each : placed) order->push_back(each.second);
    }
    return doubt;
}

}  // namespace partita::monitors
