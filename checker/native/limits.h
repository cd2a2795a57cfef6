// When native code must give up: a deadline, a limit on the process's memory, or Ctrl-C.

#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>

namespace partita {

// Thrown when a limit is hit; what the verdict's reason says.
struct Stopped {
    const char* reason;
};

class Limits {
   public:
    // `deadline` in seconds of CLOCK_MONOTONIC (Python's time.monotonic); `stop` may be null;
    // `memory` is the most bytes that the process may hold.
    Limits(std::optional<double> deadline, const volatile uint8_t* stop,
           std::optional<int64_t> memory = {})
        : deadline_(deadline), stop_(stop), memory_(memory) {}

    // Call often: only one call in 2^14 looks at the clock.
    void poll() {
        if ((++calls_ & 0x3fff) == 0) look();
    }

    void look() const {
        if (stop_ != nullptr && *stop_ != 0) throw Stopped{"interrupted"};
        if (!deadline_ && !memory_) return;
        const double time = now();
        if (deadline_ && time > *deadline_) throw Stopped{"time limit"};
        // Asking the kernel costs microseconds, so that it is asked at intervals.
        if (memory_ && time > measured_ + 0.005) {
            measured_ = time;
            if (resident() > *memory_) throw Stopped{"memory limit"};
        }
    }

    // Call before so many bytes are taken at a stroke, which looking now and then would miss.
    void look_before_taking(std::size_t bytes) const {
        if (!has_room(bytes)) throw Stopped{"memory limit"};
    }

    // Whether so many bytes can be taken.
    bool has_room(std::size_t bytes) const {
        return !memory_ || resident() + static_cast<int64_t>(bytes) <= *memory_;
    }

    // The same limits, but for at most so many seconds from now.
    Limits within(double seconds) const {
        Limits limits(*this);
        limits.deadline_ = now() + seconds;
        if (deadline_ && *deadline_ < *limits.deadline_) limits.deadline_ = deadline_;
        return limits;
    }

    static double now() { return read(CLOCK_MONOTONIC); }

    // The processor time that this thread has had: what others take of a busy machine is not in it.
    static double spent() { return read(CLOCK_THREAD_CPUTIME_ID); }

    static int64_t resident() {
        long total = 0, resident = 0;
        if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
            if (std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
            std::fclose(file);
        }
        return int64_t{resident} * sysconf(_SC_PAGESIZE);
    }

   private:
    static double read(clockid_t clock) {
        timespec t;
        clock_gettime(clock, &t);
        return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    }

    std::optional<double> deadline_;
    const volatile uint8_t* stop_;
    std::optional<int64_t> memory_;
    mutable double measured_ = 0;
    uint32_t calls_ = 0;
};

}  // namespace partita
