#include "search.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <tuple>

#include "../columns.h"
#include "cells.h"
#include "decide.h"
#include "../limits.h"
#include "problem.h"

namespace nb = nanobind;

namespace partita {
namespace {

template <class T>
using Column = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Pairs = nb::ndarray<const int32_t, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;

struct Given {
    std::optional<double> deadline;
    std::optional<int64_t> memory;
    std::optional<Column<uint8_t>> stop;
    search::Plan plan;

    Limits limits() const { return Limits(deadline, stop ? stop->data() : nullptr, memory); }
};

search::Plan plan_of(std::size_t beam, int32_t window, int32_t plenty, int tracked,
                     const std::string& without, bool ordered, int descents, int few,
                     bool explains) {
    search::Plan plan;
    plan.few = few;
    plan.ordered = ordered;
    plan.explains = explains;
    plan.descents = static_cast<search::Descents>(descents);
    plan.beam = beam;
    plan.refute = window > 0;
    if (window > 0) plan.window = window;
    plan.plenty = plenty;
    plan.tracked = tracked;
    auto is_on = [&](char letter) { return without.find(letter) == std::string::npos; };
    plan.reductions = {is_on('p'), is_on('h'), is_on('e'), is_on('u'),
                       is_on('c'), is_on('d'), is_on('n')};
    return plan;
}

// The kinds of operations on a register, numbered as they come.
class Kinds {
  public:
    Kinds() : table_(256, -1) {}

    int32_t operator()(const search::RegisterKind& kind) {
        auto* number = find(kind);
        if (*number >= 0) return *number;
        if (2 * all.size() >= table_.size()) {
            table_.assign(4 * table_.size(), -1);
            for (std::size_t i = 0; i < all.size(); ++i) *find(all[i]) = static_cast<int32_t>(i);
            number = find(kind);
        }
        *number = static_cast<int32_t>(all.size());
        all.push_back(kind);
        return *number;
    }

    std::vector<search::RegisterKind> all;

  private:
    int32_t* find(const search::RegisterKind& kind) {
        auto hash = static_cast<uint64_t>(static_cast<uint32_t>(kind.guard)) << 32 |
                    static_cast<uint32_t>(2 * kind.result + kind.negated);
        hash = hash * 0x9e3779b97f4a7c15u >> 20;
        const auto mask = table_.size() - 1;
        while (table_[hash & mask] >= 0 && !(all[table_[hash & mask]] == kind)) ++hash;
        return &table_[hash & mask];
    }

    std::vector<int32_t> table_;
};

struct Task {
    search::Timeline timeline;
    std::vector<int32_t> places;  // By operation of the timeline: its place among those given.
};

// Operations that ask nothing and leave nothing behind, and crashed ones whose value nobody
// could ever see, are left out: any order without them is an order, and they can be taken out
// of any other.
search::RegisterProblem lay_out(const RegisterOperations& read, Task& task) {
    const int32_t values = read.values + 1;
    const int32_t initial = read.initial < 0 ? read.values : read.initial;
    std::vector<bool> is_seen(values);
    bool unequal = false;
    for (const auto& op : read.operations) {
        if (op.seen >= 0) is_seen[op.seen] = true;
        unequal |= op.kind == Kind::mismatch;
    }
    Kinds kinds;
    search::TimelineBuilder builder(read.operations.size());
    for (std::size_t i = 0; i < read.operations.size(); ++i) {
        const auto& op = read.operations[i];
        search::RegisterKind kind{op.seen, op.left, op.kind == Kind::mismatch};
        if (kind.result == kind.guard) kind.result = search::kKeep;
        const bool idle = kind.result == search::kKeep && (kind.guard < 0 || op.crashed);
        if (idle || (op.crashed && !unequal && !is_seen[op.left])) continue;
        builder.add(kinds(kind), op.invoked, op.completed, op.crashed,
                    op.crashed ? search::Role::kPooled : search::Role::kOwed);
        task.places.push_back(static_cast<int32_t>(i));
    }
    task.timeline = builder.finish();
    return {std::move(kinds.all), values, initial};
}

template <class Problem>
search::Outcome decide(const Problem& problem, const Task& task, const search::Plan& plan,
                       const Limits& limits) {
    if (task.timeline.slots > search::kSlotsMost) {
        throw Stopped{"more than 4096 operations were under way at once"};
    }
    return search::with_slots(task.timeline.slots, [&]<class Mask>(Mask) {
        return search::Search<Problem, Mask>(problem, task.timeline, plan, limits).run();
    });
}

// What Python is told: the decision, which limit was hit, the place of the operation whose
// event could not be passed and that event's rank, the places of operations that contradict
// each other, the number of nodes, how many seconds of it went into what contradicts, and, if it
// is asked for, an order, as places.
nb::tuple told(const search::Outcome& found, const Task& task, const int64_t* rows,
               const int64_t* invoked_rank, const int64_t* completed_rank) {
    int64_t place = -1, rank = -1;
    if (found.event < static_cast<int32_t>(task.timeline.events.size())) {
        const auto event = task.timeline.events[found.event];
        place = task.places[search::Timeline::operation_of(event)];
        rank = (event < 0 ? completed_rank : invoked_rank)[rows[place]];
    }
    std::vector<int32_t> contradiction;
    for (auto number : found.contradiction) contradiction.push_back(task.places[number]);
    std::vector<int32_t> order;
    for (auto number : found.order) order.push_back(task.places[number]);
    return nb::make_tuple(static_cast<int>(found.decision), found.stopped, place, rank,
                          contradiction, found.nodes, found.explaining, order);
}

nb::tuple search_register(Column<int64_t> rows, Column<int8_t> kind_of_f, Column<int32_t> f,
                          Column<int32_t> input, Column<int32_t> output, Column<int8_t> outcome,
                          Column<int64_t> invoked_rank, Column<int64_t> completed_rank,
                          Pairs pairs, int32_t initial, std::optional<double> deadline,
                          std::optional<int64_t> memory, std::optional<Column<uint8_t>> stop,
                          std::size_t beam, int32_t window, int32_t plenty, int tracked,
                          const std::string& without, bool ordered, int descents, int few,
                          bool explains) {
    const Columns columns{
        rows.data(),         rows.size(),           kind_of_f.data(), f.data(),
        input.data(),        output.data(),         outcome.data(),   invoked_rank.data(),
        completed_rank.data(), pairs.data(), pairs.shape(0)};
    const Given given{deadline, memory, stop,
                      plan_of(beam, window, plenty, tracked, without, ordered, descents, few,
                              explains)};
    search::Outcome found;
    Task task;
    {
        nb::gil_scoped_release release;
        auto limits = given.limits();
        try {
            const auto problem = lay_out(read_columns(columns, initial, limits), task);
            found = decide(problem, task, given.plan, limits);
        } catch (const Stopped& stopped) {
            found.stopped = stopped.reason;
        }
    }
    return told(found, task, columns.rows, columns.invoked_rank, columns.completed_rank);
}

// By kind, what it does to cells: act, cell, value. (Most models have a handful of kinds: then
// lists come over from Python quicker than arrays.)
using Steps = std::vector<std::vector<std::tuple<int8_t, int32_t, int64_t>>>;

search::Cells cells_of(std::vector<int64_t> first, const Steps& each, const Limits& limits) {
    std::vector<search::CellStep> steps;
    std::vector<int64_t> begins{0};
    for (const auto& some : each) {
        for (const auto& [act, cell, value] : some) {
            steps.push_back({static_cast<search::CellAct>(act), cell, value});
        }
        begins.push_back(static_cast<int64_t>(steps.size()));
    }
    return {std::move(first), std::move(steps), std::move(begins), limits};
}

constexpr int32_t kStatesClosed = 64;
constexpr int64_t kQuestionsClosed = 8192;

nb::tuple search_table(Column<int64_t> rows, Column<int32_t> kinds, std::vector<bool> reads,
                       std::vector<bool> overwrites, std::optional<nb::callable> ask,
                       std::vector<int64_t> first, Steps steps, Column<int8_t> outcome,
                       Column<int64_t> invoked_rank, Column<int64_t> completed_rank,
                       std::optional<double> deadline, std::optional<int64_t> memory,
                       std::optional<Column<uint8_t>> stop,
                       std::size_t beam, int32_t window, int32_t plenty, int tracked,
                       const std::string& without, bool ordered, int descents, int few,
                          bool explains) {
    const Given given{deadline, memory, stop,
                      plan_of(beam, window, plenty, tracked, without, ordered, descents, few,
                              explains)};
    search::Outcome found;
    Task task;
    {
        nb::gil_scoped_release release;
        const auto limits = given.limits();
        auto program = cells_of(std::move(first), steps, limits);
        std::vector<search::TableKind> declared;
        for (int32_t kind = 0; kind < static_cast<int32_t>(reads.size()); ++kind) {
            const bool stays = reads[kind] || (!ask && !program.changes(kind));
            declared.push_back({kind, stays, overwrites[kind]});
        }
        search::TimelineBuilder builder(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto row = rows.data()[i];
            const bool never = outcome.data()[row] == 2;
            if (never && declared[kinds.data()[i]].reads) continue;
            builder.add(kinds.data()[i], invoked_rank.data()[row], completed_rank.data()[row],
                        never, never ? search::Role::kPooled : search::Role::kOwed);
            task.places.push_back(static_cast<int32_t>(i));
        }
        task.timeline = builder.finish();
        const search::Ask asked = [&](int32_t state, int32_t kind) {
            limits.look();
            nb::gil_scoped_acquire acquire;
            return nb::cast<int32_t>((*ask)(state, kind));
        };
        try {
            const search::Ask stepped = [&](int32_t state, int32_t kind) {
                return program(state, kind);
            };
            search::Transitions transitions(ask ? asked : stepped,
                                            static_cast<int32_t>(reads.size()), limits);
            const bool closed = transitions.close(kStatesClosed, kQuestionsClosed);
            const search::TableProblem problem(transitions, std::move(declared), closed);
            found = decide(problem, task, given.plan, limits);
        } catch (const Stopped& stopped) {
            found.stopped = stopped.reason;
        }
    }
    return told(found, task, rows.data(), invoked_rank.data(), completed_rank.data());
}

}  // namespace

void bind_search(nb::module_& m) {
    m.def("search_register", &search_register, nb::arg("rows"), nb::arg("kind_of_f"), nb::arg("f"),
          nb::arg("input"), nb::arg("output"), nb::arg("outcome"), nb::arg("invoked_rank"),
          nb::arg("completed_rank"), nb::arg("pairs"), nb::arg("initial"),
          nb::arg("deadline").none(), nb::arg("memory").none(), nb::arg("stop").none(),
          nb::arg("beam"), nb::arg("window"), nb::arg("plenty"), nb::arg("tracked"),
          nb::arg("without"), nb::arg("ordered"), nb::arg("descents"), nb::arg("few"),
          nb::arg("explains"));
    m.def("search_table", &search_table, nb::arg("rows"), nb::arg("kinds"), nb::arg("reads"),
          nb::arg("overwrites"), nb::arg("ask").none(), nb::arg("first"), nb::arg("steps"),
          nb::arg("outcome"), nb::arg("invoked_rank"),
          nb::arg("completed_rank"), nb::arg("deadline").none(), nb::arg("memory").none(), nb::arg("stop").none(),
          nb::arg("beam"), nb::arg("window"), nb::arg("plenty"), nb::arg("tracked"),
          nb::arg("without"), nb::arg("ordered"), nb::arg("descents"), nb::arg("few"),
          nb::arg("explains"));
}

}  // namespace partita
