#include "taker.h"

#include <utility>

namespace partita {

Taker::~Taker() { end(); }

void Taker::take(Events&& events, bool is_only) {
    if (is_only) return events.give(recorder_);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || waiting_.size() < waiting_max; });
    if (failure_) rethrow();
    waiting_.push_back(std::move(events));
    changed_.notify_all();
}

void Taker::finish() {
    end();
    if (failure_) rethrow();
}

Events Taker::spare() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {};
    Events events = std::move(spare_.back());
    spare_.pop_back();
    return events;
}

void Taker::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return is_over_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        Events events = std::move(waiting_.front());
        waiting_.pop_front();
        changed_.notify_all();
        lock.unlock();
        try {
            events.give(recorder_);
        } catch (...) {
            lock.lock();
            failure_ = std::current_exception();
            changed_.notify_all();
            return;
        }
        lock.lock();
        spare_.push_back(std::move(events));
    }
}

void Taker::end() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        is_over_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Taker::rethrow() { std::rethrow_exception(failure_); }

}  // namespace partita
