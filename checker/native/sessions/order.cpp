// The pass of checker/sessions/order.py, which says what it decides and why that is right.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "../bindings.h"

namespace nb = nanobind;

namespace partita {
namespace {

template <class T>
using Column = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

enum Kind : int8_t { read, update, mismatch };
enum Level : int64_t { sequential, ordered_sequential, linearizable };

// A place that something must not stand below, and the operation because of which.
struct Bound {
    int64_t place = 0;
    int64_t cause = -1;

    void raise(const Bound& other) {
        if (other.place > place) *this = other;
    }
};

struct Operations {
    const int8_t* kind;
    const int64_t *place, *next, *session, *old, *begin, *end;
    const int64_t *line_place, *line_value;  // the updates key by key, each key's in order
};

class Pass {
   public:
    Pass(const Operations& operations, size_t count, int64_t sessions, int64_t level)
        : ops_(operations), at_(count), sessions_(sessions), level_(level) {}

    // Returns false if the operation has no place; `found` is then what it must follow.
    bool invoke(int64_t i, Bound& found) {
        const int8_t kind = ops_.kind[i];
        found = sessions_[ops_.session[i]];
        const bool ordered = level_ == linearizable || (level_ == ordered_sequential && kind == update);
        if (ordered) found.raise(over_);
        at_[i] = found;
        if (kind == mismatch) return meet_another(i);
        const int64_t place = ops_.place[i];
        if (kind == update ? place <= found.place : ops_.next[i] <= found.place) return false;
        if (place >= found.place) at_[i] = {place, i};
        return true;
    }

    void complete(int64_t i) {
        over_.raise(at_[i]);
        sessions_[ops_.session[i]].raise(at_[i]);
    }

   private:
    // The least place at which the key has another value than the one that was not met.
    bool meet_another(int64_t i) {
        const int64_t *begin = ops_.line_place + ops_.begin[i], *end = ops_.line_place + ops_.end[i];
        const int64_t* after = std::upper_bound(begin, end, at_[i].place);
        const int64_t nothing = -1;
        auto value = [&](const int64_t* at) { return ops_.line_value[at - ops_.line_place]; };
        if ((after == begin ? nothing : value(after - 1)) != ops_.old[i]) return true;
        while (after != end && value(after) == ops_.old[i]) after++;
        if (after == end) return false;
        at_[i] = {*after, i};
        return true;
    }

    const Operations& ops_;
    std::vector<Bound> at_;
    std::vector<Bound> sessions_;
    Bound over_;
    const int64_t level_;
};

nb::tuple sessions(Column<int64_t> events, Column<int8_t> kind, Column<int64_t> place,
                   Column<int64_t> next, Column<int64_t> session, Column<int64_t> old,
                   Column<int64_t> begin, Column<int64_t> end, Column<int64_t> line_place,
                   Column<int64_t> line_value, int64_t level) {
    const size_t count = kind.size();
    for (size_t size : {place.size(), next.size(), session.size(), old.size(), begin.size(), end.size()}) {
        if (size != count) throw std::invalid_argument("columns of different lengths");
    }
    const Operations operations{kind.data(), place.data(), next.data(), session.data(), old.data(),
                                begin.data(), end.data(), line_place.data(), line_value.data()};
    int64_t violation = -1;
    Bound bound;
    {
        nb::gil_scoped_release release;
        int64_t sessions = 0;
        for (size_t i = 0; i < count; i++) sessions = std::max(sessions, operations.session[i] + 1);
        Pass pass(operations, count, sessions, level);
        for (size_t e = 0; e < events.size() && violation < 0; e++) {
            const int64_t event = events.data()[e];
            if (event < 0) pass.complete(-event - 1);
            else if (!pass.invoke(event - 1, bound)) violation = event - 1;
        }
    }
    return nb::make_tuple(violation, bound.cause, bound.place);
}

const Binding bound([](nb::module_& m) {
    m.def("sessions", &sessions, nb::arg("events"), nb::arg("kind"), nb::arg("place"),
          nb::arg("next"), nb::arg("session"), nb::arg("old"), nb::arg("begin"), nb::arg("end"),
          nb::arg("line_place"), nb::arg("line_value"), nb::arg("level"));
});

}  // namespace
}  // namespace partita
