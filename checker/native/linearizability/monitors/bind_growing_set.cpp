#include <cstring>

#include "given.h"
#include "growing_set.h"
#include "lists.h"

namespace partita::monitors {
namespace {

namespace nb = nanobind;

using Pairs = nb::ndarray<const int32_t, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;

constexpr size_t bytes_each = 80;

template <class T>
nb::object as_array(const std::vector<T>& values) {
    auto* data = new T[values.size()];
    std::copy(values.begin(), values.end(), data);
    nb::capsule owner(data, [](void* at) noexcept { delete[] static_cast<T*>(at); });
    return nb::cast(nb::ndarray<nb::numpy, T, nb::ndim<1>>(data, {values.size()}, owner));
}

// Numbers what was added and what was read. None: some of it is no whole number and no text.
nb::object elements_of_lists(Column<int32_t> added, Column<int32_t> lists, Column<int64_t> payload,
                             Column<int8_t> is_text, Pairs pairs, Column<int64_t> text_ends,
                             Column<uint8_t> text, std::optional<double> deadline,
                             std::optional<int64_t> memory, std::optional<Column<uint8_t>> stop) {
    const ValueColumns columns{payload.data(), is_text.data(), pairs.data(), text_ends.data(),
                               {reinterpret_cast<const char*>(text.data()), text.size()}};
    std::vector<int32_t> numbers(added.size()), elements;
    std::vector<int64_t> ends;
    int32_t count = 0;
    bool is_plain = true;
    const char* reason = nullptr;
    {
        nb::gil_scoped_release release;
        Limits limits = GivenLimits{deadline, memory, stop}.limits();
        try {
            limits.look();
            ListReader reader(columns, limits);
            for (size_t i = 0; is_plain && i < added.size(); i++) {
                is_plain = reader.add(added.data()[i], numbers[i]);
            }
            for (size_t i = 0; is_plain && i < lists.size(); i++) {
                limits.look();
                is_plain = reader.read(lists.data()[i], elements);
                ends.push_back(static_cast<int64_t>(elements.size()));
            }
            count = reader.count();
        } catch (const Stopped& stopped) {
            reason = stopped.reason;
        }
    }
    if (reason != nullptr) return nb::cast(std::string(reason));
    if (!is_plain) return nb::none();
    return nb::make_tuple(as_array(numbers), as_array(elements), as_array(ends), count);
}

nb::tuple growing_set(Column<bool> is_read, Column<int32_t> what, Column<int64_t> invoked,
                      Column<int64_t> completed, Column<int32_t> elements, Column<int64_t> ends,
                      int32_t element_count, bool ordered, std::optional<double> deadline,
                      std::optional<int64_t> memory, std::optional<Column<uint8_t>> stop) {
    return decided({deadline, memory, stop}, [&](Limits& limits, std::vector<int32_t>& order) {
        limits.look_before_taking(bytes_each * what.size());
        const Moments moments(invoked.data(), completed.data(), what.size(), limits);
        std::vector<SetOperation> ops(what.size());
        for (size_t i = 0; i < ops.size(); i++) {
            ops[i] = {moments.intervals()[i], is_read.data()[i], what.data()[i]};
        }
        GrowingSet set(ops, element_count, static_cast<int32_t>(ends.size()),
                       {elements.data(), ends.data()}, limits);
        Finding finding = set.check();
        if (ordered && finding.answer == Answer::valid) order = set.order();
        return finding;
    });
}

const Binding bound([](nb::module_& m) {
    m.def("elements_of_lists", &elements_of_lists, nb::arg("added"), nb::arg("lists"),
          nb::arg("payload"), nb::arg("is_text"), nb::arg("pairs"), nb::arg("text_ends"),
          nb::arg("text"), nb::arg("deadline").none(), nb::arg("memory").none(),
          nb::arg("stop").none());
    m.def("monitor_growing_set", &growing_set, nb::arg("is_read"), nb::arg("what"),
          nb::arg("invoked"), nb::arg("completed"), nb::arg("elements"), nb::arg("ends"),
          nb::arg("element_count"), nb::arg("ordered"), nb::arg("deadline").none(),
          nb::arg("memory").none(), nb::arg("stop").none());
});

}  // namespace
}  // namespace partita::monitors
