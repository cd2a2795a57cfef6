#include "given.h"
#include "queue.h"

namespace partita::monitors {
namespace {

namespace nb = nanobind;

// About what one operation takes while it is looked at.
constexpr size_t bytes_each = 120;

nb::tuple queue(Column<int8_t> acts, Column<int32_t> values, Column<int64_t> invoked,
                Column<int64_t> completed, int32_t value_count, bool is_fifo, bool ordered,
                std::optional<double> deadline, std::optional<int64_t> memory,
                std::optional<Column<uint8_t>> stop) {
    return decided({deadline, memory, stop}, [&](Limits& limits, std::vector<int32_t>& order) {
        limits.look_before_taking(bytes_each * acts.size());
        std::vector<QueueOperation> ops(acts.size());
        const Moments moments(invoked.data(), completed.data(), acts.size(), limits);
        for (size_t i = 0; i < ops.size(); i++) {
            ops[i] = {moments.intervals()[i], static_cast<Act>(acts.data()[i]), values.data()[i]};
        }
        Queue queue(std::move(ops), value_count, is_fifo, limits);
        Finding finding = queue.check();
        if (ordered && finding.answer == Answer::valid) order = queue.order();
        return finding;
    });
}

const Binding bound([](nb::module_& m) {
    m.def("monitor_queue", &queue, nb::arg("acts"), nb::arg("values"), nb::arg("invoked"),
          nb::arg("completed"), nb::arg("value_count"), nb::arg("is_fifo"), nb::arg("ordered"),
          nb::arg("deadline").none(), nb::arg("memory").none(), nb::arg("stop").none());
});

}  // namespace
}  // namespace partita::monitors
