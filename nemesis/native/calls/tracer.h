// Traces the threads of a store, and lets some of their calls wait, or fail.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>

namespace calls {

using Clock = std::chrono::steady_clock;
using Moment = Clock::time_point;

struct Settings {
    std::string data;     // only calls on files below it are struck
    std::string home;     // who works in it is of the store
    std::string figures;  // the file that gets what was done
    double delay_ms = 0;  // how long each call waits before it is made
    bool fails = false;   // whether it is not made at all, and answered with EIO
    bool syncs = true;    // fsync and its like
    bool writes = false;  // write and its like
    double percent = 100; // how many of them are struck
    std::uint64_t seed = 1;
    pid_t only = 0;       // this one process, and no other
};

// Lets the signals be waited for by which the kernel tells of what is traced, and by which this
// program is ended.
void prepare_signals();

class Tracer {
public:
    explicit Tracer(Settings settings);

    // Takes hold of the store's processes that are not traced yet.
    void find();

    // Goes on until this program is told to end.
    void run();

    // Goes on until the one process is over; returns its exit code, or -1.
    int until_over();

private:
    enum class Doing { nothing, waits, fails };
    struct Thread {
        Doing doing = Doing::nothing;
        Moment due{};
    };

    void hold(pid_t thread);
    bool see();
    void stopped(pid_t thread, int status);
    void at_call(pid_t thread);
    bool is_meant(pid_t thread, std::uint64_t number, const std::uint64_t* arguments) const;
    void go_on(pid_t thread, int signal = 0);
    void release(Moment until);
    void wait(Moment until);
    void tell();

    Settings settings_;
    std::map<pid_t, Thread> threads_;
    std::set<pid_t> processes_;
    std::mt19937_64 random_;
    std::uint64_t struck_ = 0;
    Moment told_{};
    int over_ = -1;
};

}  // namespace calls
