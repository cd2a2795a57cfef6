// The parts of the Python module, each bound where it is written.

#pragma once

#include <nanobind/nanobind.h>

#include <vector>

namespace partita {

void bind_reader(nanobind::module_& module);

// A part of the module that nothing else names: a static object of this in the file that binds it.
class Binding {
   public:
    using Bind = void (*)(nanobind::module_&);

    explicit Binding(Bind bind) { all().push_back(bind); }

    static std::vector<Bind>& all() {
        static std::vector<Bind> bindings;
        return bindings;
    }
};

}  // namespace partita
