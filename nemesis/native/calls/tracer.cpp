#include "tracer.h"

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "processes.h"
#include "registers.h"

namespace calls {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 250ms;  // how soon a process is found that is started later
constexpr auto kTell = 50ms;
constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                          PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
constexpr int kCallStop = SIGTRAP | 0x80;

bool ended = false;

sigset_t awaited() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&set, signal);
    return set;
}

bool stops_group(int signal) {
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

}  // namespace

void prepare_signals() {
    signal(SIGCHLD, SIG_DFL);  // whoever started this may have ignored it
    const auto set = awaited();
    sigprocmask(SIG_BLOCK, &set, nullptr);
}

Tracer::Tracer(Settings settings) : settings_(std::move(settings)), random_(settings_.seed) {
    // What /proc says of open files has no links in it.
    std::error_code none;
    const auto data = std::filesystem::weakly_canonical(settings_.data, none);
    if (!none) settings_.data = data.string();
}

void Tracer::find() {
    const auto found = settings_.only != 0 ? std::vector<pid_t>{settings_.only}
                                           : of_store(settings_.data, settings_.home);
    processes_ = {found.begin(), found.end()};
    for (const auto process : found) {
        // Threads that begin meanwhile are not traced yet: until there is none.
        for (bool more = true; more;) {
            more = false;
            for (const auto thread : threads_of(process)) {
                if (threads_.contains(thread)) continue;
                hold(thread);
                more = more || threads_.contains(thread);
            }
        }
    }
    tell();
}

void Tracer::hold(pid_t thread) {
    if (ptrace(PTRACE_SEIZE, thread, 0, kOptions) != 0) return;
    threads_[thread] = {};
    ptrace(PTRACE_INTERRUPT, thread, 0, 0);
}

void Tracer::run() {
    auto look = Clock::now() + kLook;
    while (!ended) {
        while (see()) {}
        const auto now = Clock::now();
        release(now);
        if (now >= look) {
            find();
            look = now + kLook;
        }
        wait(look);
    }
    // A call that is not made any more must be answered before nobody is here to do it.
    const auto limit = Clock::now() + 1s;
    const auto fails = [](const auto& each) { return each.second.doing == Doing::fails; };
    while (std::any_of(threads_.begin(), threads_.end(), fails) && Clock::now() < limit) {
        if (!see()) wait(Clock::now() + 10ms);
    }
    tell();
}

int Tracer::until_over() {
    const auto limit = Clock::now() + 10s;
    find();
    while (over_ < 0 && Clock::now() < limit) {
        while (over_ < 0 && see()) {}
        wait(Clock::now() + 50ms);
    }
    if (over_ < 0) kill(settings_.only, SIGKILL);
    return over_;
}

// Takes the next thing that the kernel tells of, if there is one.
bool Tracer::see() {
    int status = 0;
    const pid_t thread = waitpid(-1, &status, __WALL | WNOHANG);
    if (thread <= 0) return false;
    if (WIFSTOPPED(status)) {
        stopped(thread, status);
    } else {
        threads_.erase(thread);
        if (thread == settings_.only) over_ = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
    }
    return true;
}

void Tracer::stopped(pid_t thread, int status) {
    const int signal = WSTOPSIG(status);
    const int event = status >> 16;
    if (signal == kCallStop) {
        at_call(thread);
    } else if (event == PTRACE_EVENT_STOP && stops_group(signal)) {
        ptrace(PTRACE_LISTEN, thread, 0, 0);  // frozen by somebody, until SIGCONT comes
    } else {
        threads_.try_emplace(thread);  // one that another one has begun
        go_on(thread, event != 0 ? 0 : signal);
    }
}

void Tracer::at_call(pid_t thread) {
    auto& mine = threads_[thread];
    if (mine.doing == Doing::fails) {
        answer(thread, EIO);
        mine.doing = Doing::nothing;
        return go_on(thread);
    }
    __ptrace_syscall_info call{};
    const auto size = ptrace(PTRACE_GET_SYSCALL_INFO, thread,
                             sizeof call, &call);
    if (size <= 0 || call.op != PTRACE_SYSCALL_INFO_ENTRY) return go_on(thread);
    std::uint64_t arguments[6];
    std::copy(std::begin(call.entry.args), std::end(call.entry.args), arguments);
    if (!is_meant(thread, call.entry.nr, arguments)) return go_on(thread);
    if (settings_.percent < 100 &&
        std::uniform_real_distribution<>(0, 100)(random_) >= settings_.percent)
        return go_on(thread);
    if (settings_.fails) {
        if (!skip(thread)) return go_on(thread);
        ++struck_;
        mine.doing = Doing::fails;
        return go_on(thread);
    }
    ++struck_;
    mine.doing = Doing::waits;
    mine.due = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double, std::milli>(settings_.delay_ms));
}

bool Tracer::is_meant(pid_t thread, std::uint64_t number, const std::uint64_t* arguments) const {
    switch (number) {
        case SYS_msync:
            return settings_.syncs && (arguments[2] & MS_SYNC) != 0;
        case SYS_fsync:
        case SYS_fdatasync:
        case SYS_syncfs:
        case SYS_sync_file_range:
            if (!settings_.syncs) return false;
            break;
        case SYS_write:
        case SYS_writev:
        case SYS_pwrite64:
        case SYS_pwritev:
        case SYS_pwritev2:
            if (!settings_.writes) return false;
            break;
        default:
            return false;
    }
    return is_below(thread, static_cast<long>(arguments[0]), settings_.data);
}

// It may have been killed meanwhile, which the kernel tells of next.
void Tracer::go_on(pid_t thread, int signal) { ptrace(PTRACE_SYSCALL, thread, 0, signal); }

void Tracer::release(Moment until) {
    for (auto& [thread, mine] : threads_) {
        if (mine.doing != Doing::waits || mine.due > until) continue;
        mine.doing = Doing::nothing;
        go_on(thread);
    }
}

void Tracer::wait(Moment until) {
    until = std::min(until, told_ + kTell);
    for (const auto& [thread, mine] : threads_)
        if (mine.doing == Doing::waits) until = std::min(until, mine.due);
    const auto left = std::max(Clock::duration(0ms), until - Clock::now());
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec most{whole.count(), (left - whole).count()};
    const auto set = awaited();
    const int signal = sigtimedwait(&set, nullptr, &most);
    if (signal == SIGTERM || signal == SIGINT) ended = true;
    if (Clock::now() - told_ > kTell) tell();
}

// The file is whole at any moment.
void Tracer::tell() {
    told_ = Clock::now();
    if (settings_.figures.empty()) return;
    const auto fresh = settings_.figures + ".new";
    std::ofstream(fresh) << "struck " << struck_ << "\nprocesses " << processes_.size()
                         << "\nthreads " << threads_.size() << "\n";
    std::rename(fresh.c_str(), settings_.figures.c_str());
}

}  // namespace calls
