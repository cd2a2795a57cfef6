// From a history's columns to the operations of one register.

#pragma once

#include <cstdint>
#include <vector>

#include "linearizability/chain.h"

namespace partita {

// One-dimensional views of the columns of checker.history.History; rows select one key's.
struct Columns {
    const int64_t* rows;
    size_t row_count;
    const int8_t* kind_of_f;  // by code of f: a Kind
    const int32_t* f;
    const int32_t* input;
    const int32_t* output;
    const int8_t* outcome;  // 0 ok, 1 fail, 2 info
    const int64_t* invoked_rank;
    const int64_t* completed_rank;
    const int32_t* pairs;  // by code of value, two each: the codes of its parts
    size_t value_count;
};

struct RegisterOperations {
    std::vector<Operation> operations;
    int32_t values;
    int32_t initial;
};

// Values get codes of their own from 0, so that a key's tables are as small as the key.
// `initial` is a code of the history, -1 for null, below -1 for a value that it never mentions.
RegisterOperations read_columns(const Columns& columns, int32_t initial, Limits& limits);

}  // namespace partita
