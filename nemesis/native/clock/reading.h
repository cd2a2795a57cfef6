// What a process would read from its clock, found out without asking it.
#pragma once

#include "process.h"

namespace clocks {

// In seconds, but for the rate: how many seconds its clock goes on in one.
struct Reading {
    double least = 0;  // of how far it is off, during the measurement
    double most = 0;
    double rate = 1;
    double monotonic = 0;  // how far that clock is off: never
    double error = 0;      // how far the clock is from what it was told to be
};

// Runs the very code that stands in the process's memory, in a copy of it, for so long.
Reading read(const Clock& clock, double seconds);

}  // namespace clocks
