#include "counter.h"
#include "given.h"

namespace partita::monitors {
namespace {

namespace nb = nanobind;

constexpr size_t bytes_each = 100;

nb::tuple counter(Column<bool> is_read, Column<int64_t> amounts, Column<int64_t> invoked,
                  Column<int64_t> completed, int64_t initial, bool ordered,
                  std::optional<double> deadline, std::optional<int64_t> memory,
                  std::optional<Column<uint8_t>> stop) {
    return decided({deadline, memory, stop}, [&](Limits& limits, std::vector<int32_t>& order) {
        limits.look_before_taking(bytes_each * amounts.size());
        const Moments moments(invoked.data(), completed.data(), amounts.size(), limits);
        std::vector<CounterOperation> ops(amounts.size());
        for (size_t i = 0; i < ops.size(); i++) {
            ops[i] = {moments.intervals()[i], is_read.data()[i], amounts.data()[i]};
        }
        CounterMonitor monitor(ops, initial, limits);
        Finding finding = monitor.check();
        if (ordered && finding.answer == Answer::valid) order = monitor.order();
        return finding;
    });
}

const Binding bound([](nb::module_& m) {
    m.def("monitor_counter", &counter, nb::arg("is_read"), nb::arg("amounts"), nb::arg("invoked"),
          nb::arg("completed"), nb::arg("initial"), nb::arg("ordered"),
          nb::arg("deadline").none(), nb::arg("memory").none(), nb::arg("stop").none());
});

}  // namespace
}  // namespace partita::monitors
