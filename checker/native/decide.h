// The search itself: a beam from the front, and refutation from the middle where it dies.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "frontier.h"

namespace partita::search {

enum class Decision { kValid, kInvalid, kUnknown };

struct Plan {
    Reductions reductions;
    std::size_t beam = 16;       // Configurations kept after an event; 0: all.
    bool refute = true;          // Whether to refute locally.
};

struct Outcome {
    Decision decision = Decision::kUnknown;
    std::int32_t event = 0;      // Valid: all; invalid: where; unknown: proven up to there.
    std::int32_t from = 0;       // Invalid: the refutation needed nothing from before this event.
    bool from_anything = false;
    int level = 0;
    int rescues = 0;
    std::size_t nodes = 0;
    std::size_t most = 0;
    std::string stopped;         // Unknown: the limit that was hit.
};

template <class Space, class Mask>
class Search {
    using Configuration = Config<Mask>;
    struct Checkpoint {
        std::int32_t position;
        bool exact;
        std::vector<Configuration> configs;
    };

  public:
    Search(const Timeline& timeline, Space& space, std::size_t kinds, std::int32_t initial,
           const Plan& plan, const Limits& limits)
        : timeline_(timeline),
          space_(space),
          plan_(plan),
          frontier_(timeline, space, kinds, plan.reductions, limits) {
        Configuration first;
        first.state = initial;
        frontier_.configs = {first};
        checkpoints_.push_back({0, true, frontier_.configs});
    }

    Outcome run() {
        try {
            decide();
        } catch (const Stopped& stopped) {
            outcome_.stopped = stopped.reason;
        }
        if (outcome_.decision != Decision::kInvalid) outcome_.event = furthest_;
        outcome_.nodes = frontier_.nodes();
        return outcome_;
    }

  private:
    void decide() {
        while (frontier_.position() < end()) {
            frontier_.thrifty = plan_.beam > 0;
            if (step(plan_.beam)) continue;
            if (exact_) invalid(frontier_.position() - 1, 0, false);
            if (exact_ || !rescue()) return;
        }
        outcome_.decision = Decision::kValid;
    }

    std::int32_t end() const { return static_cast<std::int32_t>(timeline_.events.size()); }

    void invalid(std::int32_t event, std::int32_t from, bool from_anything) {
        outcome_.decision = Decision::kInvalid;
        outcome_.event = event;
        outcome_.from = from;
        outcome_.from_anything = from_anything;
    }

    // Goes over one event with a beam; false if no configuration is left.
    bool step(std::size_t beam) {
        frontier_.node_limit = beam * 16;
        frontier_.gave_up = false;
        frontier_.advance();
        if (frontier_.gave_up) exact_ = false;
        if (frontier_.configs.empty()) return false;
        outcome_.most = std::max(outcome_.most, frontier_.configs.size());
        if (beam > 0 && frontier_.configs.size() > beam) narrow(beam);
        furthest_ = std::max(furthest_, frontier_.position());
        if (frontier_.position() % 32 == 0) remember();
        return true;
    }

    // Keeps the most promising: those that used and spent least and owe least.
    void narrow(std::size_t beam) {
        exact_ = false;
        auto worth = [&](const Configuration& config) {
            return 2 * frontier_.usage().total(config.usage) + config.spent.count() +
                   config.owed.count();
        };
        auto& configs = frontier_.configs;
        std::nth_element(configs.begin(), configs.begin() + beam, configs.end(),
                         [&](const auto& a, const auto& b) { return worth(a) < worth(b); });
        configs.resize(beam);
    }

    // Checkpoints lie the wider apart the older they are, so that their number grows only with
    // the logarithm of the length.
    void remember() {
        if (!checkpoints_.empty() && checkpoints_.back().position >= frontier_.position()) return;
        checkpoints_.push_back({frontier_.position(), exact_, frontier_.configs});
        auto now = frontier_.position();
        std::size_t kept = 1;
        for (std::size_t i = 1; i < checkpoints_.size(); ++i) {
            bool last = i + 1 == checkpoints_.size();
            auto span = last ? 0 : checkpoints_[i + 1].position - checkpoints_[kept - 1].position;
            if (last || span * 16 > now - checkpoints_[i].position) {
                if (kept != i) checkpoints_[kept] = std::move(checkpoints_[i]);
                ++kept;
            }
        }
        checkpoints_.resize(kept);
        if (frontier_.usage().size() > 2 * used_ + 1024) forget_usage();
    }

    // What no configuration uses any more is forgotten when it has come to be the greater part.
    void forget_usage() {
        std::vector<std::uint32_t*> numbers;
        for (auto& config : frontier_.configs) numbers.push_back(&config.usage);
        for (auto& checkpoint : checkpoints_) {
            for (auto& config : checkpoint.configs) numbers.push_back(&config.usage);
        }
        frontier_.usage().keep(numbers);
        used_ = frontier_.usage().size();
    }

    // The beam has died: either there is no order, or it was too narrow. Small windows and
    // wider beams take turns, so that the cheaper proof is found at about its own cost.
    bool rescue() {
        auto died = frontier_.position() - 1;
        for (int level = 0;; ++level) {
            outcome_.level = std::max(outcome_.level, level);
            auto window = std::int32_t{64} << std::min(level, 24);
            auto from = std::max(0, died - window);
            if (plan_.refute && from > 0 && !space_.starts().empty()) {
                if (refute(from, died, std::size_t{512} << std::min(level, 40))) {
                    invalid(died, from, true);
                    return false;
                }
            }
            if (widen(from, died, window, plan_.beam << std::min(level + 1, 40))) {
                ++outcome_.rescues;
                return true;
            }
            if (outcome_.decision == Decision::kInvalid) return false;
            // It came further than before: what killed it there may be easier to refute.
            if (frontier_.position() - 1 > died) {
                died = frontier_.position() - 1;
                level = -1;
            }
        }
    }

    // Starts from any state, with all that is pending free and crashed operations reusable:
    // this contains every true configuration, so that if it dies there is no order, whatever
    // came before.
    bool refute(std::int32_t from, std::int32_t died, std::size_t most) {
        frontier_.seek(from);
        frontier_.configs.clear();
        for (auto state : space_.starts()) {
            frontier_.configs.emplace_back().state = state;
        }
        frontier_.counted = false;
        frontier_.node_limit = most * 16;
        frontier_.gave_up = false;
        while (frontier_.position() <= died && !frontier_.configs.empty()) {
            frontier_.advance();
            if (frontier_.gave_up || frontier_.configs.size() > most) {
                frontier_.gave_up = true;
                break;
            }
        }
        frontier_.counted = true;
        return frontier_.configs.empty() && !frontier_.gave_up;
    }

    bool widen(std::int32_t from, std::int32_t died, std::int32_t window, std::size_t beam) {
        std::size_t at = checkpoints_.size() - 1;
        while (at > 0 && checkpoints_[at].position > from) --at;
        frontier_.thrifty = false;
        frontier_.seek(checkpoints_[at].position);
        frontier_.configs = checkpoints_[at].configs;
        exact_ = checkpoints_[at].exact;
        checkpoints_.resize(at + 1);
        auto until = std::min(end(), died + window);
        while (frontier_.position() < until) {
            if (!step(beam)) {
                if (exact_) invalid(frontier_.position() - 1, 0, false);
                return false;
            }
        }
        return true;
    }

    const Timeline& timeline_;
    Space& space_;
    Plan plan_;
    Frontier<Space, Mask> frontier_;
    std::vector<Checkpoint> checkpoints_;
    bool exact_ = true;
    std::size_t used_ = 0;
    std::int32_t furthest_ = 0;
    Outcome outcome_;
};

}  // namespace partita::search
