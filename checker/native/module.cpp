// The native half of the checker: what has to be fast, and nothing else.

#include <nanobind/nanobind.h>

namespace nb = nanobind;

NB_MODULE(_native, m) {
    m.doc() = "The native half of the checker.";
}
