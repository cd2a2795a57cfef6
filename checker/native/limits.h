// When native code must give up: a deadline, a limit on the process's memory, or Ctrl-C.

#pragma once

#include <cstdint>
#include <ctime>
#include <optional>

namespace partita {

// Thrown when a limit is hit; what the verdict's reason says.
struct Stopped {
    const char* reason;
};

class Limits {
   public:
    // `deadline` in seconds of CLOCK_MONOTONIC (Python's time.monotonic); `stop` may be null.
    Limits(std::optional<double> deadline, const volatile uint8_t* stop)
        : deadline_(deadline), stop_(stop) {}

    // Call often: only one call in 2^14 looks at the clock.
    void poll() {
        if ((++calls_ & 0x3fff) == 0) look();
    }

    void look() const {
        if (stop_ != nullptr && *stop_ != 0) throw Stopped{"interrupted"};
        if (deadline_ && now() > *deadline_) throw Stopped{"time limit"};
    }

   private:
    static double now() {
        timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    }

    std::optional<double> deadline_;
    const volatile uint8_t* stop_;
    uint32_t calls_ = 0;
};

}  // namespace partita
