// Versions that a store told of single values: which revision wrote what was read.

#pragma once

#include "columns.h"

namespace partita::transactions {

// The field `versions` of transactions that have it, by row: a list with one number or null for
// each of their micro-operations.
struct ToldVersions {
    size_t count = 0;
    const int64_t* rows = nullptr;
    const int32_t* codes = nullptr;
    ValueColumns values{};
};

struct Versions {
    std::vector<int64_t> of_element;  // -1: not told
    std::vector<uint32_t> contradicted;  // elements of which two versions were told
    bool any = false;

    int64_t of(uint32_t element) const { return any && element != none ? of_element[element] : -1; }
};

// What is known of the revision of each element's writer, by what it was told itself, and by what
// was told to those who read the element. Throws `BadInput`.
Versions told_versions(const Txns& txns, const ToldVersions& told, Limits& limits);

}  // namespace partita::transactions
