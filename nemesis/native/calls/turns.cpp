#include "turns.h"

#include <signal.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>

#include "processes.h"

namespace calls {
namespace {

constexpr double kLook_ms = 250;  // how soon a process is found that is started later
constexpr double kTell_ms = 50;

double now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Waits, and says whether it is asked to end meanwhile.
bool ends_within(double ms) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    const auto nanoseconds = static_cast<long>(ms * 1e6);
    const timespec most{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    return sigtimedwait(&ends, nullptr, &most) > 0;
}

// The letter by which the kernel tells what a process does: behind its name, which may hold anything.
char state(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(')');
    return end + 2 < line.size() ? line[end + 2] : ' ';
}

void send(const std::vector<pid_t>& processes, int signal) {
    for (const auto process : processes) kill(process, signal);
}

void tell(const std::string& path, std::size_t processes, std::uint64_t turns) {
    if (path.empty()) return;
    const std::string fresh = path + ".new";
    std::ofstream(fresh) << "processes " << processes << "\nturns " << turns << "\n";
    std::rename(fresh.c_str(), path.c_str());
}

}  // namespace

void take_turns(const Turn& turn) {
    std::vector<pid_t> processes = of_store(turn.data, turn.home);
    std::uint64_t turns = 0;  // of processes that were stopped
    double looked = now_ms(), told = looked;
    tell(turn.figures, processes.size(), turns);
    for (bool over = false; !over;) {
        if (now_ms() - looked > kLook_ms) {
            processes = of_store(turn.data, turn.home);
            looked = now_ms();
        }
        std::vector<pid_t> held;
        for (const auto process : processes) {
            if (const auto now = state(process); now != 'T' && now != 't' && now != ' ')
                held.push_back(process);
        }
        send(held, SIGSTOP);
        turns += held.size();
        over = ends_within(turn.hold_ms);
        send(held, SIGCONT);
        if (now_ms() - told > kTell_ms) {
            tell(turn.figures, processes.size(), turns);
            told = now_ms();
        }
        over = over || ends_within(turn.period_ms - turn.hold_ms);
    }
    tell(turn.figures, processes.size(), turns);
}

}  // namespace calls
