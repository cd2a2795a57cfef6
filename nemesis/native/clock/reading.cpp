#include "reading.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <stdexcept>

namespace clocks {

namespace {

constexpr double kGlance = 1e-3;  // a look at the clock that takes longer is made again
constexpr timespec kPause{0, 1'000'000};

using GetTime = int (*)(clockid_t, timespec*);

// As the kernel has it, whatever became of our own vDSO.
timespec true_time(clockid_t clock) {
    timespec now{};
    syscall(SYS_clock_gettime, clock, &now);
    return now;
}

double between(const timespec& from, const timespec& to) {
    return static_cast<double>(to.tv_sec - from.tv_sec) +
           static_cast<double>(to.tv_nsec - from.tv_nsec) / 1e9;
}

class Copy {
public:
    explicit Copy(const std::vector<unsigned char>& image) : size_(image.size()) {
        at_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at_ == MAP_FAILED) throw std::runtime_error("no memory for a copy of its vDSO");
        std::memcpy(at_, image.data(), size_);
        if (mprotect(at_, size_, PROT_READ | PROT_EXEC) != 0) {
            munmap(at_, size_);
            throw std::runtime_error("a copy of its vDSO cannot be run");
        }
    }
    ~Copy() { munmap(at_, size_); }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;

    GetTime function(std::uint64_t offset) const {
        return reinterpret_cast<GetTime>(static_cast<unsigned char*>(at_) + offset);
    }

private:
    void* at_;
    std::size_t size_;
};

std::int64_t nanoseconds(const timespec& moment) {
    return std::int64_t{moment.tv_sec} * 1'000'000'000 + moment.tv_nsec;
}

// A look at a clock through this function, between two at the true one.
struct Look {
    Look(GetTime function, clockid_t clock) {
        for (int tries = 0; tries == 0 || (took() > kGlance && tries < 100); ++tries) {
            before = true_time(clock);
            function(clock, &told);
            after = true_time(clock);
        }
    }

    double took() const { return between(before, after); }
    double off() const { return between(before, told) - took() / 2; }

    // How far it is from what it should be. A strobe may change between the two true times.
    double error(const Shifts& shifts) const {
        const auto from = [&](const timespec& moment) {
            const auto off = static_cast<double>(nanoseconds(told) - nanoseconds(moment));
            return std::abs(off - static_cast<double>(shifts.at(nanoseconds(moment)))) / 1e9;
        };
        return std::min(from(before), from(after));
    }

    timespec before{}, told{}, after{};
};

}  // namespace

Reading read(const Clock& clock, double seconds) {
    Reading found;
    if (!clock.shifted()) return found;  // it runs through the kernel's own code
    const Copy copy(clock.image());
    const auto function = copy.function(clock.entry(0));
    const auto shifts = clock.shifts();
    const auto begun = true_time(CLOCK_MONOTONIC);
    const double first = Look(function, CLOCK_REALTIME).off();
    found.least = found.most = first;
    double passed = 0, last = first;
    do {
        nanosleep(&kPause, nullptr);
        const Look look(function, CLOCK_REALTIME);
        passed = between(begun, true_time(CLOCK_MONOTONIC));
        last = look.off();
        found.least = std::min(found.least, last);
        found.most = std::max(found.most, last);
        found.error = std::max(found.error, look.error(shifts));
        found.monotonic =
            std::max(found.monotonic, std::abs(Look(function, CLOCK_MONOTONIC).off()));
    } while (passed < seconds);
    found.rate = 1 + (last - first) / passed;
    return found;
}

}  // namespace clocks
