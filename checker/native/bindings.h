// The parts of the Python module, each bound where it is written.

#pragma once

#include <nanobind/nanobind.h>

namespace partita {

void bind_reader(nanobind::module_& module);

}  // namespace partita
