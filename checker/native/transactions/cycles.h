// Cycles by name: which models a graph contradicts, and the shortest contradictions found.

#pragma once

#include <array>
#include <string>
#include <vector>

#include "graph.h"
#include "piece.h"

namespace partita::transactions {

enum class Kind : uint8_t { g0, g1c, g_single, g_nonadjacent, g2, count };
enum class Order : uint8_t { none, process, realtime, count };  // what else than values it needs

constexpr size_t kinds = static_cast<size_t>(Kind::count);
constexpr size_t orders = static_cast<size_t>(Order::count);
constexpr std::array<const char*, kinds> kind_names{"G0", "G1c", "G-single", "G-nonadjacent",
                                                    "G2-item"};
constexpr std::array<const char*, orders> order_names{"", "-process", "-realtime"};

// A closed walk: `relations[i]` leads from `txns[i]` to the next one.
struct Cycle {
    std::vector<uint32_t> txns;
    std::vector<Relation> relations;

    Kind kind() const;
    Order order() const;
    bool is_simple() const;
};

struct Cycles {
    // By kind and order: how many components have one, whether there may be more, and the shortest.
    std::array<std::array<int64_t, orders>, kinds> counts{};
    std::array<std::array<bool, orders>, kinds> cut{};
    std::array<std::array<std::vector<Cycle>, orders>, kinds> examples;
    // By model and order: ww; ww wr; these and rw, no two of them in a row; all three.
    std::array<std::array<bool, orders>, 4> violated{};
    int64_t components = 0, largest = 0, visits = 0;
    const char* stopped = nullptr;  // by which limit: there may be more of everything
};

// Finds all of that, or as much of it as the limits allow.
Cycles find_cycles(const Graph& graph, const Txns& txns, Limits& limits);

}  // namespace partita::transactions
