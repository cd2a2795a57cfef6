// How the operations of a register hang together: what both halves of the chain engine look at.

#pragma once

#include <cstdint>
#include <vector>

#include "chain.h"

namespace partita {

constexpr int32_t none = -1;
constexpr int64_t before_all = -1;

// A chain's summary: who completed first (m) and who was invoked last (M).
struct Chain {
    int32_t head;  // the plain write that begins it, none: the initial value
    int32_t first_completed = none;
    int32_t last_invoked = none;
    int64_t least_completion = never;
    int64_t greatest_invocation = before_all;
    bool forward() const { return least_completion < greatest_invocation; }
};

struct Links {
    Links(const std::vector<Operation>& operations, int32_t values, int32_t initial_value,
          Limits& limits_of_search)
        : ops(operations),
          initial(initial_value),
          limits(limits_of_search),
          kept(operations.size(), 0),
          next_read(operations.size(), none),
          writer(values, none),
          first_read(values, none),
          next_cas(values, none),
          observed(values, 0) {}

    // Calls visit(operation, block) for the operations of a chain in their forced order.
    template <class Visit>
    void walk(int32_t head, Visit visit) const {
        int32_t block = 0;
        int32_t at = head;
        int32_t value = head == none ? initial : ops[head].left;
        for (;;) {
            limits.poll();
            if (at != none) visit(at, block);
            if (value == none || !observed[value]) return;
            for (int32_t r = first_read[value]; r != none; r = next_read[r]) visit(r, block);
            at = next_cas[value];
            if (at == none) return;
            value = ops[at].left;
            block++;
        }
    }

    const std::vector<Operation>& ops;
    const int32_t initial;  // a value, none if no operation mentions it
    Limits& limits;
    std::vector<uint8_t> kept;       // by operation: whether it happened
    std::vector<int32_t> next_read;  // by operation: the next read of the same value
    // By value: an operation that writes it, its first read, and the cas from it.
    std::vector<int32_t> writer, first_read, next_cas;
    std::vector<uint8_t> observed;
};

}  // namespace partita
