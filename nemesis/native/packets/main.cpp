// partita-packets: holds packets back, as a slow, late or careless network would.
//
//   iptables -t mangle -A CHAIN -s PEER -m mark ! --mark 0x1/0x1 -j NFQUEUE --queue-num 77 --queue-bypass
//   partita-packets --queue 77 --mark 1 --delay-ms 50 --jitter-ms 20 --figures FILE
//
// For kernels without netem. When it ends, the kernel lets all packets pass (--queue-bypass): to
// end it is to heal. FILE gets what it did, a line for each count, twenty times in a second and at the
// end.
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "damage.h"
#include "queue.h"
#include "shaping.h"

namespace {

using packets::Nanoseconds;
using packets::Packet;

constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr Nanoseconds kTell = kSecond / 20;

volatile std::sig_atomic_t ended = 0;

Nanoseconds now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<Nanoseconds>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

struct Figures {
    std::uint64_t seen = 0;
    std::uint64_t held = 0;  // waited at all
    std::uint64_t lost = 0;  // came when too much was waiting
    std::uint64_t damaged = 0;

    // The file is whole at any moment.
    void write(const std::string& path) const {
        if (path.empty()) return;
        const std::string fresh = path + ".new";
        std::ofstream(fresh) << "seen " << seen << "\nheld " << held << "\nlost " << lost
                             << "\ndamaged " << damaged << "\n";
        std::rename(fresh.c_str(), path.c_str());
    }
};

struct Waiting {
    Nanoseconds due;
    std::uint64_t number;  // those of one moment go on in the order in which they came
    Packet packet;

    bool operator>(const Waiting& other) const {
        return due != other.due ? due > other.due : number > other.number;
    }
};

// Damages packets now and then.
class Damager {
public:
    explicit Damager(const packets::Settings& settings)
        : share_(settings.damage_percent / 100), fits_(settings.fits > 0), random_(settings.seed) {}

    bool strikes(std::vector<std::uint8_t>& text) {
        if (text.empty() || std::uniform_real_distribution<double>()(random_) >= share_)
            return false;
        return packets::damage(text.data(), text.size(), fits_, random_);
    }

private:
    double share_;
    bool fits_;
    std::mt19937_64 random_;
};

class Line {
public:
    Line(std::uint16_t queue, std::uint32_t bits, const packets::Settings& settings,
         std::string figures)
        : queue_(queue, settings.damage_percent > 0),
          bits_(bits),
          shaper_(settings),
          damager_(settings),
          path_(std::move(figures)) {}

    void run() {
        Nanoseconds told = 0;
        figures_.write(path_);
        std::puts("ready");
        std::fflush(stdout);
        while (ended == 0) {
            const auto moment = now();
            if (moment - told > kTell) {
                figures_.write(path_);
                told = moment;
            }
            release(moment);
            wait(moment);
            take();
        }
        release(~Nanoseconds{0});
        figures_.write(path_);
    }

private:
    void release(Nanoseconds until) {
        for (; !waiting_.empty() && waiting_.top().due <= until; waiting_.pop())
            pass(waiting_.top().packet);
    }

    void pass(Packet packet) {
        if (!damager_.strikes(packet.text)) return queue_.pass(packet, bits_);
        ++figures_.damaged;
        queue_.pass_changed(packet, bits_);
    }

    void wait(Nanoseconds moment) {
        Nanoseconds pause = kTell;
        if (!waiting_.empty()) pause = std::min(pause, waiting_.top().due - moment);
        const timespec most{0, static_cast<long>(pause)};
        pollfd descriptor{queue_.descriptor(), POLLIN, 0};
        ppoll(&descriptor, 1, &most, nullptr);
    }

    void take() {
        came_.clear();
        queue_.receive(came_);
        const auto moment = now();
        for (const auto& packet : came_) {
            ++figures_.seen;
            const auto due = shaper_.due(moment, packet.bytes);
            if (!due) {
                ++figures_.lost;
                queue_.drop(packet);
            } else if (*due <= moment) {
                pass(packet);
            } else {
                ++figures_.held;
                waiting_.push({*due, figures_.seen, packet});
            }
        }
    }

    packets::Queue queue_;
    std::uint32_t bits_;
    packets::Shaper shaper_;
    Damager damager_;
    std::string path_;
    Figures figures_;
    std::vector<Packet> came_;
    std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
};

// Reads "--name value" pairs. Raises for a name that means nothing, and for what is no number.
packets::Settings read(int argc, char** argv, double& queue, double& mark, std::string& figures) {
    packets::Settings settings;
    double seed = 1;
    const std::map<std::string, double*> numbers{
        {"--queue", &queue},
        {"--mark", &mark},
        {"--delay-ms", &settings.delay_ms},
        {"--jitter-ms", &settings.jitter_ms},
        {"--reorder-percent", &settings.reorder_percent},
        {"--kbit", &settings.kbit},
        {"--damage-percent", &settings.damage_percent},
        {"--fits", &settings.fits},
        {"--seed", &seed},
    };
    for (int at = 1; at < argc; at += 2) {
        const std::string name = argv[at];
        if (at + 1 == argc) throw std::runtime_error(name + " needs a value");
        if (name == "--figures") {
            figures = argv[at + 1];
        } else if (const auto found = numbers.find(name); found == numbers.end()) {
            throw std::runtime_error("no option is called " + name);
        } else {
            char* end = nullptr;
            *found->second = std::strtod(argv[at + 1], &end);
            if (*argv[at + 1] == 0 || *end != 0 || !(*found->second >= 0))
                throw std::runtime_error(name + " needs a number, not " + argv[at + 1]);
        }
    }
    settings.seed = static_cast<std::uint64_t>(seed);
    return settings;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        std::puts("partita-packets 1");
        return 0;
    }
    try {
        double queue = 0;
        double mark = 1;
        std::string figures;
        const auto settings = read(argc, argv, queue, mark, figures);
        struct sigaction action {};
        action.sa_handler = [](int) { ended = 1; };
        sigaction(SIGTERM, &action, nullptr);
        sigaction(SIGINT, &action, nullptr);
        Line(static_cast<std::uint16_t>(queue), static_cast<std::uint32_t>(mark), settings, figures)
            .run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "partita-packets: %s\n", error.what());
        return 1;
    }
    return 0;
}
