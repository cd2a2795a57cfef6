// What monitors are given from Python, and give back.

#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "../../bindings.h"
#include "intervals.h"

namespace partita::monitors {

template <class T>
using Column = nanobind::ndarray<const T, nanobind::ndim<1>, nanobind::c_contig,
                                 nanobind::device::cpu>;

// The limits as they are given from Python.
struct GivenLimits {
    std::optional<double> deadline;
    std::optional<int64_t> memory;
    std::optional<Column<uint8_t>> stop;

    Limits limits() const { return Limits(deadline, stop ? stop->data() : nullptr, memory); }
};

// Runs a monitor without Python's lock. `decide` returns a `Finding`, and adds to `order`.
template <class Decide>
nanobind::tuple decided(const GivenLimits& given, Decide decide) {
    Finding finding;
    std::vector<int32_t> order;
    {
        nanobind::gil_scoped_release release;
        Limits limits = given.limits();
        try {
            limits.look();
            finding = decide(limits, order);
        } catch (const Stopped& stopped) {
            finding = {Answer::undecided, stopped.reason, {}};
        }
    }
    return nanobind::make_tuple(static_cast<int>(finding.answer), finding.rule,
                                finding.operations, order);
}

}  // namespace partita::monitors
