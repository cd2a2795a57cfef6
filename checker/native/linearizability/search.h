// The search engine's bindings. What it decides, and how, stands in checker/search.py.

#pragma once

#include <nanobind/nanobind.h>

namespace partita {

void bind_search(nanobind::module_& module);

}  // namespace partita
