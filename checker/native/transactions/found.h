// What is found beside cycles: anomalies that one or two transactions show.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "columns.h"

namespace partita::transactions {

enum class Anomaly : uint8_t {
    aborted_read,
    intermediate_read,
    garbage_read,
    duplicate_elements,
    incompatible_order,
    dirty_update,
    internal,
    future_read,
    lost_update,
    lost_append,
    cyclic_versions,
    revision_mismatch,
    count
};

constexpr std::array<const char*, static_cast<size_t>(Anomaly::count)> anomaly_names{
    "G1a",          "G1b",      "garbage-read", "duplicate-elements", "incompatible-order",
    "dirty-update", "internal", "future-read",  "lost-update",        "lost-append",
    "cyclic-versions", "revision-mismatch"};

// One occurrence. `element` and `other` are elements that it is about, `op` the micro-operation
// that shows it; `fact` says what is peculiar to it.
struct Occurrence {
    std::vector<uint32_t> txns;
    uint32_t key = none;
    uint32_t element = none;
    uint32_t other = none;
    uint32_t op = none;
    const char* fact = "";
    const char* rule = "";
    const char* other_rule = "";
};

// Counts all, and keeps the first few of each kind.
class Found {
   public:
    void add(Anomaly anomaly, Occurrence occurrence) {
        auto& kept = examples[static_cast<size_t>(anomaly)];
        counts[static_cast<size_t>(anomaly)]++;
        if (kept.size() < kept_max) kept.push_back(std::move(occurrence));
    }
    // Adds what was found elsewhere, behind what is known.
    void add(Found&& other) {
        for (size_t i = 0; i < counts.size(); i++) {
            counts[i] += other.counts[i];
            for (Occurrence& each : other.examples[i]) {
                if (examples[i].size() < kept_max) examples[i].push_back(std::move(each));
            }
        }
    }
    bool has_any() const {
        return std::any_of(counts.begin(), counts.end(), [](int64_t n) { return n > 0; });
    }
    bool has(Anomaly anomaly) const { return counts[static_cast<size_t>(anomaly)] > 0; }

    std::array<int64_t, static_cast<size_t>(Anomaly::count)> counts{};
    std::array<std::vector<Occurrence>, static_cast<size_t>(Anomaly::count)> examples;

   private:
    static constexpr size_t kept_max = 8;
};

}  // namespace partita::transactions
