// partita-calls: lets the calls by which a store writes to its disk take long, or fail.
//
//   partita-calls --data /srv/partita/etcd/data --home /srv/partita/etcd --delay-ms 100 --figures FILE
//   partita-calls --data FOLDER --fail 1 --writes 1 --syncs 1 --percent 50 --figures FILE
//   partita-calls --data FOLDER --home FOLDER --hold-ms 90 --period-ms 100 --figures FILE
//   partita-calls --try FOLDER
//   partita-calls --find --data FOLDER --home FOLDER       (prints the ids of those processes)
//
// It traces each process that works in the home, or has a file below the data open, also those
// that come later. When it ends, however it ends, they go on as if nothing had been: to end it is
// to heal. FILE gets what it did, twenty times in a second and at the end.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <map>
#include <stdexcept>
#include <string>

#include "processes.h"
#include "tracer.h"
#include "turns.h"

namespace {

calls::Settings read(int argc, char** argv, calls::Turn& turn) {
    calls::Settings settings;
    double fail = 0, writes = 0, syncs = 1, seed = 1;
    const std::map<std::string, double*> numbers{
        {"--delay-ms", &settings.delay_ms}, {"--percent", &settings.percent},
        {"--fail", &fail},                  {"--writes", &writes},
        {"--syncs", &syncs},                {"--seed", &seed},
        {"--hold-ms", &turn.hold_ms},       {"--period-ms", &turn.period_ms},
    };
    const std::map<std::string, std::string*> texts{
        {"--data", &settings.data},
        {"--home", &settings.home},
        {"--figures", &settings.figures},
    };
    for (int at = 1; at < argc; at += 2) {
        const std::string name = argv[at];
        if (at + 1 == argc) throw std::runtime_error(name + " needs a value");
        if (const auto text = texts.find(name); text != texts.end()) {
            *text->second = argv[at + 1];
        } else if (const auto found = numbers.find(name); found == numbers.end()) {
            throw std::runtime_error("no option is called " + name);
        } else {
            char* end = nullptr;
            *found->second = std::strtod(argv[at + 1], &end);
            if (*argv[at + 1] == 0 || *end != 0 || !(*found->second >= 0))
                throw std::runtime_error(name + " needs a number, not " + argv[at + 1]);
        }
    }
    if (settings.data.empty()) throw std::runtime_error("--data needs a folder");
    if (turn.hold_ms >= turn.period_ms)
        throw std::runtime_error("--hold-ms must be less than --period-ms");
    turn.data = settings.data;
    turn.home = settings.home;
    turn.figures = settings.figures;
    settings.fails = fail > 0;
    settings.writes = writes > 0;
    settings.syncs = syncs > 0;
    settings.seed = static_cast<std::uint64_t>(seed);
    return settings;
}

// What the child of a try does: it syncs a file until that fails as it was told to, which must
// come soon.
int sync_until_it_fails(const std::string& folder) {
    const std::string path = folder + "/partita-try";
    const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    int found = 1;
    for (int round = 0; file >= 0 && found == 1 && round < 200; ++round) {
        if (fsync(file) < 0) found = errno == EIO ? 0 : 2;
        usleep(10'000);
    }
    unlink(path.c_str());
    return found;
}

// Says whether a process can be traced here, and its calls made to fail, by doing it.
int tried(const std::string& folder) {
    const pid_t child = fork();
    if (child == 0) _exit(sync_until_it_fails(folder));
    calls::Settings settings;
    settings.data = folder;
    settings.fails = true;
    settings.only = child;
    const int status = calls::Tracer(settings).until_over();
    if (status == 0) return 0;
    std::fprintf(stderr, "partita-calls: no process can be traced here (ptrace), or no call made to fail\n");
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        std::puts("partita-calls 1");
        return 0;
    }
    try {
        calls::prepare_signals();
        calls::Turn turn;
        if (argc == 3 && std::strcmp(argv[1], "--try") == 0) return tried(argv[2]);
        if (argc > 1 && std::strcmp(argv[1], "--find") == 0) {
            const auto settings = read(argc - 1, argv + 1, turn);
            for (const auto process : calls::of_store(settings.data, settings.home))
                std::printf("%d\n", process);
            return 0;
        }
        const auto settings = read(argc, argv, turn);
        if (turn.hold_ms > 0) {
            std::puts("ready");
            std::fflush(stdout);
            calls::take_turns(turn);
            return 0;
        }
        calls::Tracer tracer(settings);
        tracer.find();
        std::puts("ready");
        std::fflush(stdout);
        tracer.run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "partita-calls: %s\n", error.what());
        return 1;
    }
    return 0;
}
