// Hands events to a recorder while the next ones are being read.

#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "events.h"

namespace partita {

// Reading a notation and keeping what it says take about as long as each other. So a file of more
// than one piece gets a thread for the second: pieces are taken one after the other, in their order,
// and what comes out is the same.
class Taker {
   public:
    explicit Taker(Recorder& recorder) : recorder_(recorder) {}
    ~Taker();
    Taker(const Taker&) = delete;
    Taker& operator=(const Taker&) = delete;

    // Takes a piece some time. Waits while others are waiting. Throws what was wrong with these.
    void take(Events&& events, bool is_only);

    // Returns once all is taken. Throws what was wrong with it.
    void finish();

    // Memory of a piece that was taken, for another one.
    Events spare();

   private:
    static constexpr size_t waiting_max = 2;

    void run();
    void end();
    void rethrow();

    Recorder& recorder_;
    std::thread thread_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Events> waiting_;
    std::vector<Events> spare_;
    std::exception_ptr failure_;
    bool is_over_ = false;
};

}  // namespace partita
