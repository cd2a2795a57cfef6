// One element of a set: whether it is in, as operations come and go.

#pragma once

#include <array>
#include <unordered_map>
#include <vector>

#include "members.h"

namespace partita::monitors {

// Goes through the events, and keeps what may have been done after each: whether the element is
// in, which pending operations have been done, how many crashed adds and removes have been used.
class Membership {
   public:
    Membership(const std::vector<MemberOperation>& operations, bool is_in, Limits& limits,
               bool ordered = false)
        : ops_(operations), is_in_at_first_(is_in), limits_(limits), ordered_(ordered) {}

    // The place of the first operation that cannot have been done when it is over, none: all can.
    int32_t stuck();

    // The places of all operations in an order, if none is stuck and it was asked to keep it.
    std::vector<int32_t> order() const;

   private:
    struct Used {
        int32_t adds, removes;
        int32_t trail;  // how this was reached: the number of a step, none at the beginning
        bool within(const Used& other) const {
            return adds <= other.adds && removes <= other.removes;
        }
    };
    // By what has been done (bits of slots) and whether the element is in (lowest bit): the
    // fewest crashed operations that this may have taken.
    struct Step {
        int32_t before, place;
    };
    using Possible = std::unordered_map<uint64_t, std::vector<Used>>;

    static constexpr int slots_max = 63;
    static constexpr size_t possible_max = 1 << 14;

    void invoke(int32_t place);
    bool complete(int32_t place);
    uint64_t bit(int slot) const { return uint64_t{2} << slot; }
    uint64_t with_answers(uint64_t key) const;
    int32_t step(int32_t before, int32_t place);
    Used stepped(Used used, int32_t place, uint64_t key, uint64_t answered);
    int earliest(Member act, uint64_t key) const;
    static bool note(Possible& possible, uint64_t key, Used used);

    const std::vector<MemberOperation>& ops_;
    const bool is_in_at_first_;
    Limits& limits_;
    std::array<int32_t, slots_max> pending_;  // by slot: a place, none if it is free
    std::vector<int32_t> crashed_adds_, crashed_removes_;  // that have been invoked
    Possible possible_;
    const bool ordered_;
    std::vector<Step> steps_;
};

}  // namespace partita::monitors
