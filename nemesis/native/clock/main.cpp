// partita-clock: lets processes tell another time than the machine's.
//
//   partita-clock set --home /srv/partita/etcd --data /srv/partita/etcd/data --jump 100
//   partita-clock set --home FOLDER --data FOLDER --strobe 200 --period 0.2
//   partita-clock read --home FOLDER --data FOLDER --seconds 0.2
//   partita-clock heal
//   partita-clock try
//
// Programs ask for the time through code that the kernel maps into each process (the vDSO). The
// first bytes of that code are written over, in the process's own copy, with a jump to code of ours
// that asks the kernel and adds what it was told to. So it does not matter in which language a
// program is written; the machine's clock, other processes and the monotonic clock are as before.
// Nothing goes on afterwards. What was set stays until it is set to nothing, or the process ends:
//
//   --jump S     so many seconds off
//   --skew S     the same, beside a jump
//   --strobe S   so many seconds off in every other half of --period seconds
//   --factor F   so many seconds pass in one
//
// `read` prints a line for each process: its id, its name, by how many seconds its clock was off,
// at least and at most, how many seconds it went on in one, how far its monotonic clock is off, how
// far it is from what it was told, and what that was: jump, skew, strobe and factor. `heal` heals every process there is. `try` shifts a process of our own; what cannot be done
// it says.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "process.h"
#include "reading.h"

namespace {

using clocks::Clock;
using clocks::Shifts;

constexpr double kNanoseconds = 1e9;
constexpr double kRate = 4294967296.0;  // 2^32: see Shifts
constexpr double kTry = 1000;

struct Wanted {
    std::string home, data;
    double pid = 0;
    double seconds = 0;
    double period = 0;
    std::optional<double> jump, skew, strobe, factor;
};

double number(const std::string& name, const char* text) {
    char* end = nullptr;
    const double value = std::strtod(text, &end);
    if (*text == 0 || *end != 0 || !std::isfinite(value))
        throw std::runtime_error(name + " needs a number, not " + text);
    return value;
}

// Reads "--name value" pairs. Raises for a name that means nothing, and for what is no number.
Wanted read(int argc, char** argv) {
    Wanted wanted;
    const std::map<std::string, std::string*> folders{{"--home", &wanted.home},
                                                      {"--data", &wanted.data}};
    const std::map<std::string, double*> numbers{
        {"--pid", &wanted.pid}, {"--seconds", &wanted.seconds}, {"--period", &wanted.period}};
    const std::map<std::string, std::optional<double>*> shifts{{"--jump", &wanted.jump},
                                                               {"--skew", &wanted.skew},
                                                               {"--strobe", &wanted.strobe},
                                                               {"--factor", &wanted.factor}};
    for (int at = 2; at < argc; at += 2) {
        const std::string name = argv[at];
        if (at + 1 == argc) throw std::runtime_error(name + " needs a value");
        if (const auto folder = folders.find(name); folder != folders.end())
            *folder->second = argv[at + 1];
        else if (const auto found = numbers.find(name); found != numbers.end())
            *found->second = number(name, argv[at + 1]);
        else if (const auto shift = shifts.find(name); shift != shifts.end())
            *shift->second = number(name, argv[at + 1]);
        else
            throw std::runtime_error("no option is called " + name);
    }
    if (wanted.strobe.value_or(0) != 0 && wanted.period < 0.001)
        throw std::runtime_error("--strobe needs a --period of 0.001 at least");
    return wanted;
}

std::vector<pid_t> meant(const Wanted& wanted) {
    if (wanted.pid > 0) return {static_cast<pid_t>(wanted.pid)};
    if (wanted.home.empty() && wanted.data.empty())
        throw std::runtime_error("whose clock? --home FOLDER, --data FOLDER or --pid NUMBER");
    return clocks::processes(wanted.home, wanted.data);
}

std::int64_t true_time() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Shifts changed(Shifts shifts, const Wanted& wanted) {
    const auto nanoseconds = [](double seconds) { return std::llround(seconds * kNanoseconds); };
    if (wanted.jump) shifts.jump = nanoseconds(*wanted.jump);
    if (wanted.skew) shifts.skew = nanoseconds(*wanted.skew);
    shifts.constant = shifts.jump + shifts.skew;
    if (wanted.strobe) {
        shifts.strobe = nanoseconds(*wanted.strobe);
        shifts.half = shifts.strobe == 0 ? 0 : nanoseconds(wanted.period / 2);
        shifts.strobe_origin = true_time();
    }
    if (wanted.factor) {
        shifts.rate = std::llround((*wanted.factor - 1) * kRate);
        shifts.rate_origin = true_time();
    }
    return shifts;
}

// Does something for each process, and says at the end what went wrong. One that has ended
// meanwhile needs nothing any more.
template <typename Action>
int for_each(const std::vector<pid_t>& pids, Action action) {
    int status = 0;
    for (const pid_t pid : pids) {
        try {
            action(pid);
        } catch (const std::exception& error) {
            if (!clocks::lives(pid)) continue;
            std::fprintf(stderr, "partita-clock: %s (%d): %s\n", clocks::name_of(pid).c_str(),
                         static_cast<int>(pid), error.what());
            status = 1;
        }
    }
    return status;
}

int set(const Wanted& wanted) {
    return for_each(meant(wanted), [&](pid_t pid) {
        Clock clock(pid);
        clock.shift(changed(clock.shifts(), wanted));
    });
}

int show(const Wanted& wanted) {
    return for_each(meant(wanted), [&](pid_t pid) {
        const Clock clock(pid);
        const auto found = clocks::read(clock, wanted.seconds);
        const auto told = clock.shifts();
        const auto seconds = [](std::int64_t ns) { return static_cast<double>(ns) / kNanoseconds; };
        std::printf("%d %s %.6f %.6f %.6f %.6f %.6f %.6f %.6f %.6f %.6f\n", static_cast<int>(pid),
                    clocks::name_of(pid).c_str(), found.least, found.most, found.rate,
                    found.monotonic, found.error, seconds(told.jump), seconds(told.skew),
                    seconds(told.strobe), 1 + static_cast<double>(told.rate) / kRate);
    });
}

int heal() {
    return for_each(clocks::processes("", ""), [](pid_t pid) {
        std::optional<Clock> clock;
        try {
            clock.emplace(pid);
        } catch (const std::runtime_error&) {
            return;  // whose clock we cannot reach we have not shifted either
        }
        if (clock->shifted()) clock->shift({});
    });
}

// A child that reads its clock until it is told to end: once with its clock shifted, once healed.
void attempt() {
    int ask[2], answer[2];
    if (pipe(ask) != 0 || pipe(answer) != 0) throw std::runtime_error("no pipe");
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("no process can be started");
    if (child == 0) {
        close(ask[1]);
        for (char byte; ::read(ask[0], &byte, 1) == 1;) {
            timespec now{};
            clock_gettime(CLOCK_REALTIME, &now);
            if (write(answer[1], &now, sizeof now) != sizeof now) break;
        }
        _exit(0);
    }
    close(ask[0]);
    close(answer[1]);
    const auto told = [&] {
        timespec now{};
        if (write(ask[1], "?", 1) != 1 || ::read(answer[0], &now, sizeof now) != sizeof now)
            throw std::runtime_error("a process that was shifted ended");
        return static_cast<double>(now.tv_sec - time(nullptr));
    };
    std::string lack;
    try {
        Wanted wanted;
        wanted.jump = kTry;
        Clock clock(child);
        clock.shift(changed({}, wanted));
        if (std::abs(told() - kTry) > kTry / 2) lack = "a process does not ask through its vDSO";
        clock.shift({});
        if (std::abs(told()) > kTry / 2) lack = "a process cannot be healed";
    } catch (const std::runtime_error& error) {
        lack = error.what();
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    if (!lack.empty()) throw std::runtime_error(lack);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string command = argc > 1 ? argv[1] : "";
    if (command == "--version") {
        std::puts("partita-clock 1");
        return 0;
    }
    try {
        // Nothing may end us while a process is stopped.
        for (const int each : {SIGHUP, SIGINT, SIGTERM, SIGPIPE}) std::signal(each, SIG_IGN);
        if (command == "set") return set(read(argc, argv));
        if (command == "read") return show(read(argc, argv));
        if (command == "heal" && argc == 2) return heal();
        if (command == "try" && argc == 2) {
            attempt();
            return 0;
        }
        throw std::runtime_error("usage: partita-clock set|read|heal|try [OPTIONS]");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "partita-clock: %s\n", error.what());
        return 1;
    }
}
