// Two things done at once.

#pragma once

#include <exception>
#include <thread>

namespace partita {

// Does `other` in a thread of its own, if that is `worth` one, and `one` meanwhile. Returns once both
// are over. What `other` throws is thrown first: it comes first, where one is done after the other.
template <class Other, class One>
void side_by_side(bool worth, Other other, One one) {
    if (!worth) {
        other();
        one();
        return;
    }
    std::exception_ptr failure, failure_of_other;
    const auto tried = [](auto& what, std::exception_ptr& failed) {
        try {
            what();
        } catch (...) {
            failed = std::current_exception();
        }
    };
    std::thread thread([&] { tried(other, failure_of_other); });
    tried(one, failure);
    thread.join();
    if (failure_of_other) std::rethrow_exception(failure_of_other);
    if (failure) std::rethrow_exception(failure);
}

}  // namespace partita
