#include "given.h"
#include "members.h"

namespace partita::monitors {
namespace {

namespace nb = nanobind;

constexpr size_t bytes_each = 60;

nb::tuple members(Column<int8_t> acts, Column<int32_t> elements, Column<int64_t> invoked,
                  Column<int64_t> completed, int32_t element_count, int32_t present,
                  bool ordered, std::optional<double> deadline, std::optional<int64_t> memory,
                  std::optional<Column<uint8_t>> stop) {
    return decided({deadline, memory, stop}, [&](Limits& limits, std::vector<int32_t>& order) {
        limits.look_before_taking(bytes_each * acts.size());
        const Moments moments(invoked.data(), completed.data(), acts.size(), limits);
        std::vector<MemberOperation> ops(acts.size());
        for (size_t i = 0; i < ops.size(); i++) {
            ops[i] = {moments.intervals()[i], static_cast<Member>(acts.data()[i]),
                      elements.data()[i]};
        }
        return check_members(ops, element_count, present, limits, ordered ? &order : nullptr);
    });
}

const Binding bound([](nb::module_& m) {
    m.def("monitor_members", &members, nb::arg("acts"), nb::arg("elements"), nb::arg("invoked"),
          nb::arg("completed"), nb::arg("element_count"), nb::arg("present"),
          nb::arg("ordered"), nb::arg("deadline").none(), nb::arg("memory").none(),
          nb::arg("stop").none());
});

}  // namespace
}  // namespace partita::monitors
