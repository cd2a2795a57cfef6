// The native half of the checker: what has to be fast, and nothing else.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "linearizability/chain.h"
#include "columns.h"
#include "linearizability/search.h"

namespace nb = nanobind;

namespace {

template <class T>
using Column = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Pairs = nb::ndarray<const int32_t, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;

nb::tuple chain(Column<int64_t> rows, Column<int8_t> kind_of_f, Column<int32_t> f,
                Column<int32_t> input, Column<int32_t> output, Column<int8_t> outcome,
                Column<int64_t> invoked_rank, Column<int64_t> completed_rank, Pairs pairs,
                int32_t initial, std::optional<double> deadline, std::optional<int64_t> memory,
                std::optional<Column<uint8_t>> stop, bool ordered) {
    const partita::Columns columns{
        rows.data(),         rows.size(),           kind_of_f.data(), f.data(),
        input.data(),        output.data(),         outcome.data(),   invoked_rank.data(),
        completed_rank.data(), pairs.data(), pairs.shape(0)};
    partita::ChainResult result;
    {
        nb::gil_scoped_release release;
        partita::Limits limits(deadline, stop ? stop->data() : nullptr, memory);
        try {
            const auto read = partita::read_columns(columns, initial, limits);
            result = partita::check_chains(read.operations, read.values, read.initial, ordered,
                                           limits);
        } catch (const partita::Stopped& stopped) {
            result = {partita::Answer::undecided, {stopped.reason, {}, {}}};
        }
    }
    const auto& conflict = result.conflict;
    return nb::make_tuple(static_cast<int>(result.answer), conflict.kind, conflict.roles,
                          conflict.links, result.order);
}

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "The native half of the checker.";
    m.def("chain", &chain, nb::arg("rows"), nb::arg("kind_of_f"), nb::arg("f"), nb::arg("input"),
          nb::arg("output"), nb::arg("outcome"), nb::arg("invoked_rank"),
          nb::arg("completed_rank"), nb::arg("pairs"), nb::arg("initial"),
          nb::arg("deadline").none(), nb::arg("memory").none(), nb::arg("stop").none(),
          nb::arg("ordered"));
    partita::bind_search(m);
    partita::bind_reader(m);
    for (const auto bind : partita::Binding::all()) bind(m);
}
