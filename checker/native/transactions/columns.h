// Transactions as columns: who ran them, what they wrote, and what they read.

#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../huge_pages.h"
#include "../limits.h"
#include "../linearizability/monitors/lists.h"

namespace partita::transactions {

using monitors::ValueColumns;

constexpr uint32_t none = UINT32_MAX;
constexpr int64_t never = INT64_MAX;

enum Outcome : int8_t { ok, fail, info };

// Views of the columns of checker.history.History.
struct Given {
    size_t count;
    const int64_t* process;
    const int32_t* input;
    const int32_t* output;
    const int8_t* outcome;
    const int64_t* invoked;
    const int64_t* completed;
    const int64_t* version;
    ValueColumns values;
};

// A history that nothing can be inferred from; `rows` are the operations that it is about.
struct BadInput : std::runtime_error {
    BadInput(const std::string& what, std::vector<uint32_t> operations)
        : std::runtime_error(what), rows(std::move(operations)) {}
    std::vector<uint32_t> rows;
};

enum class Act : uint8_t { append, write, read, unknown_read };

// `element`: what was written, or read; of a list that was read the last one. None: nothing was
// there. A list is a beginning of the longest one of its key, unless it stands in `Txns::lists`.
struct MicroOp {
    uint32_t key;
    uint32_t element;
    uint32_t length = 0;
    uint32_t list = none;
    Act act;
};

// A value of a key. `place`: where it stands in the longest list of its key.
struct Element {
    uint32_t key;
    uint32_t token;
    uint32_t writer = none;  // a micro-operation
    uint32_t place = none;
    bool is_last = true;  // of what its transaction wrote to its key
    bool is_read = false;
};

enum class Shape : uint8_t { unknown, list, value };

struct Key {
    std::string_view json;
    std::vector<uint32_t> order;  // the elements of the longest list
    uint32_t longest = none;      // the transaction that read it
    Shape shape = Shape::unknown;
    uint32_t shaped_by = none;  // the transaction that showed it
    bool diverges = false;      // some list is no beginning of the longest
};

struct Txns {
    Given given;
    LargeVector<uint32_t> first;  // by transaction: its first micro-operation, and one more
    LargeVector<MicroOp> ops;
    LargeVector<uint32_t> txn_of;  // by micro-operation
    std::vector<Key> keys;
    LargeVector<Element> elements;
    std::vector<uint32_t> lists;     // the elements of all lists that diverge, back to back
    std::vector<uint8_t> committed;  // by transaction: ok, or seen by others
    std::vector<std::string> tokens;  // by token from `first_text` on: its JSON
    static constexpr uint32_t first_text = 1u << 31;

    uint32_t count() const { return static_cast<uint32_t>(given.count); }
    uint32_t writer_of(uint32_t element) const {
        const uint32_t op = elements[element].writer;
        return op == none ? none : txn_of[op];
    }
    bool is_committed(uint32_t element) const {
        const uint32_t txn = writer_of(element);
        return txn != none && committed[txn];
    }
    // The element at a place of a list that was read.
    uint32_t at(const MicroOp& read, uint32_t place) const {
        return read.list == none ? keys[read.key].order[place] : lists[read.list + place];
    }
    // Whether one read of a key begins with all that the other one read.
    bool begins_like(const MicroOp& longer, const MicroOp& shorter) const;
    std::string json_of(uint32_t element) const;
};

// Takes the values of a history apart: what was found, or what was asked where that is not known.
// Whether both agree, `look_at_agreement` says. Throws `BadInput`, and `Stopped`.
Txns read_transactions(const Given& given, Limits& limits);

}  // namespace partita::transactions
