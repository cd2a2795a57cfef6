// Which versions of a key stood before which: links between two values of it, and why.

#pragma once

#include <cstdint>
#include <vector>

#include "columns.h"

namespace partita::transactions {

// How the order of two values is known. `read`: both stood in a list. `unread`: one was appended
// and never read, so it came after all that was read.
enum class Rule : uint8_t {
    read,
    unread,
    initial,
    writes_follow_reads,
    linearizable_keys,
    sequential_keys,
    told
};

constexpr const char* rule_names[] = {
    "", "unread", "initial", "writes-follow-reads", "linearizable-keys", "sequential-keys", "told"};

// `after` came after `before` (none: after nothing, the initial state of the key).
struct Link {
    uint32_t key;
    uint32_t before;
    uint32_t after;
    Rule rule;
};

// Places of links: from `begin` up to, and without, `end`.
struct Range {
    uint32_t begin, end;
    uint32_t size() const { return end - begin; }
};

// Links by what they begin at. Those of one value stand together, sorted by what came after.
class Links {
   public:
    explicit Links(const Txns& txns)
        : of_element_(txns.elements.size(), none), of_nothing_(txns.keys.size(), none) {}

    // Links of one value must come one after the other.
    void add(const Link& link) {
        uint32_t& first = first_of(link.key, link.before);
        if (first == none) first = static_cast<uint32_t>(all.size());
        all.push_back(link);
    }

    // What came right after a value of a key; none: after nothing.
    Range after(uint32_t key, uint32_t element) const {
        const uint32_t begin = element == none ? of_nothing_[key] : of_element_[element];
        if (begin == none) return {0, 0};
        uint32_t end = begin + 1;
        while (end < all.size() && all[end].key == key && all[end].before == element) end++;
        return {begin, end};
    }

    std::vector<Link> all;

   private:
    uint32_t& first_of(uint32_t key, uint32_t element) {
        return element == none ? of_nothing_[key] : of_element_[element];
    }

    std::vector<uint32_t> of_element_, of_nothing_;
};

// Adds the order of all lists: each element and the committed one that stood next, and behind the
// last one all that was appended and never read.
void link_lists(const Txns& txns, Links& links, Limits& limits);

}  // namespace partita::transactions
