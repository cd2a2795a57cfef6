// Operations that are left to do, in some order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace partita::search {

// One that is taken out can be put back where it was, in the opposite order of taking
// (Knuth, "Dancing Links", 2000).
class Left {
  public:
    // The numbers are less than `most`.
    Left(const std::vector<std::int32_t>& numbers, std::size_t most)
        : end_(static_cast<std::int32_t>(most)), next_(most + 1, end_), before_(most + 1, end_) {
        auto last = end_;
        for (auto number : numbers) {
            next_[last] = number;
            before_[number] = last;
            last = number;
        }
        next_[last] = end_;
        before_[end_] = last;
    }

    std::int32_t first() const { return next_[end_]; }
    std::int32_t after(std::int32_t number) const { return next_[number]; }
    std::int32_t end() const { return end_; }
    bool empty() const { return first() == end_; }

    void take(std::int32_t number) {
        next_[before_[number]] = next_[number];
        before_[next_[number]] = before_[number];
    }
    void put_back(std::int32_t number) {
        next_[before_[number]] = number;
        before_[next_[number]] = number;
    }

  private:
    std::int32_t end_;
    std::vector<std::int32_t> next_, before_;
};

}  // namespace partita::search
