// Processes that run for a part of the time only: they are stopped, and let go on, in turns.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace calls {

struct Turn {
    double hold_ms = 0;  // of each period; 0: nobody is stopped
    double period_ms = 100;
    std::string data;
    std::string home;
    std::string figures;
};

// Stops and continues the store's processes until it is asked to end; then they all go on. Whom
// somebody else has stopped is let be.
void take_turns(const Turn& turn);

}  // namespace calls
