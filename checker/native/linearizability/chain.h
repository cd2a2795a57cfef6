// The chain engine's search. What it decides, and why that is right, stands in checker/chain.py.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../limits.h"

namespace partita {

enum class Kind : uint8_t { read, write, cas, mismatch };

constexpr int64_t never = INT64_MAX;

// One operation. `seen` is the value that it observed (a read's output, a cas's old value,
// the value that a mismatch did not meet) and `left` the one that it left behind.
struct Operation {
    Kind kind;
    bool crashed;
    int32_t seen;
    int32_t left;
    int64_t invoked;
    int64_t completed;  // `never` if it crashed
};

enum class Answer : uint8_t { valid, invalid, not_applicable, undecided };

// How operations contradict each other. `roles` are those that the sentence is about,
// `links` the cas that tie them together; both are positions in the operations given.
struct Conflict {
    std::string kind;
    std::vector<int32_t> roles;
    std::vector<int32_t> links;
};

struct ChainResult {
    Answer answer;
    Conflict conflict;  // for `not_applicable`: two writers of one observed value
    std::vector<int32_t> order = {};  // if it is asked for, and valid
};

// Values are codes from 0 to `values` - 1; `initial` is one of them, or -1 if none observed it.
// Only if it is `ordered` does it say in which order a valid history may have happened.
ChainResult check_chains(const std::vector<Operation>& operations, int32_t values,
                         int32_t initial, bool ordered, Limits& limits);

}  // namespace partita
