// Numbers what operations do: the same f, input, output and outcome are the same kind.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "../bindings.h"

namespace partita {
namespace {

namespace nb = nanobind;

template <class T>
using Column = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

constexpr int32_t none = -1;

struct What {
    const int32_t *f, *input, *output;
    const int8_t* outcome;

    bool are_alike(int64_t one, int64_t other) const {
        return f[one] == f[other] && input[one] == input[other] && output[one] == output[other] &&
               outcome[one] == outcome[other];
    }
    uint64_t hash(int64_t row) const {
        uint64_t hash = 4 * static_cast<uint64_t>(f[row]) + outcome[row];
        for (const int32_t code : {input[row], output[row]}) {
            hash = (hash ^ static_cast<uint32_t>(code)) * 0x9e3779b97f4a7c15u;
            hash ^= hash >> 32;
        }
        return hash;
    }
};

class Kinds {
  public:
    explicit Kinds(const What& what) : what_(what), table_(64, none) {}

    int32_t of(int64_t row) {
        auto* number = find(row);
        if (*number != none) return *number;
        if (2 * examples.size() >= table_.size()) {
            table_.assign(4 * table_.size(), none);
            for (size_t i = 0; i < examples.size(); i++) {
                *find(examples[i]) = static_cast<int32_t>(i);
            }
            number = find(row);
        }
        *number = static_cast<int32_t>(examples.size());
        examples.push_back(row);
        return *number;
    }

    std::vector<int64_t> examples;  // The first row of each kind.

  private:
    int32_t* find(int64_t row) {
        const auto mask = table_.size() - 1;
        auto at = what_.hash(row) & mask;
        while (table_[at] != none && !what_.are_alike(examples[table_[at]], row)) {
            at = (at + 1) & mask;
        }
        return &table_[at];
    }

    const What& what_;
    std::vector<int32_t> table_;
};

nb::object as_array(const std::vector<int32_t>& values) {
    auto* data = new int32_t[values.size()];
    std::copy(values.begin(), values.end(), data);
    nb::capsule owner(data, [](void* at) noexcept { delete[] static_cast<int32_t*>(at); });
    return nb::cast(nb::ndarray<nb::numpy, int32_t, nb::ndim<1>>(data, {values.size()}, owner));
}

nb::tuple kinds_of(Column<int64_t> rows, Column<int32_t> f, Column<int32_t> input,
                   Column<int32_t> output, Column<int8_t> outcome) {
    const What what{f.data(), input.data(), output.data(), outcome.data()};
    Kinds kinds(what);
    std::vector<int32_t> numbers(rows.size());
    for (size_t i = 0; i < rows.size(); i++) numbers[i] = kinds.of(rows.data()[i]);
    return nb::make_tuple(as_array(numbers), std::move(kinds.examples));
}

const Binding bound([](nb::module_& m) {
    m.def("kinds_of", &kinds_of, nb::arg("rows"), nb::arg("f"), nb::arg("input"),
          nb::arg("output"), nb::arg("outcome"));
});

}  // namespace
}  // namespace partita
