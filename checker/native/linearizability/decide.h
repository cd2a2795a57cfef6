// The search itself: a beam from the front, and refutation from the middle where it dies. Beside
// them a descent, by turns.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "descent.h"
#include "excerpt.h"
#include "frontier.h"

namespace partita::search {

constexpr std::size_t kNodesMost = 50'000'000;  // Of one attempt to refute.
constexpr int kStride = 64;  // Events between checkpoints.
constexpr std::size_t kRoughMost = 1024;  // The widest beam that ignores what is plentiful.
constexpr double kTurnSeconds = 0.0005;   // Of a descent; later ones are longer.
constexpr double kAhead = 1.0 / 32;       // How much more than the rest a descent may have had.
constexpr std::size_t kWorkBetweenTurns = 64;  // Moves, and the nodes that they took.
constexpr int kLevelsAlone = 3;  // Before there is one beside a search that knows the states.

enum class Decision { kValid, kInvalid, kUnknown };

// Whether there is a descent: beside the rest, or nothing else.
enum class Descents { kNone, kBeside, kAlone };

struct Plan {
    Reductions reductions;
    std::size_t beam = 4;  // Configurations kept after an event; 0: all.
    bool refute = true;    // Whether to refute locally.
    std::int32_t window = 64;  // Events before a death from which it is first refuted.
    // So many crashed operations of a kind left are plenty: no need to count them in a beam.
    std::int32_t plenty = 16;
    int tracked = 6;  // Operations under way at once that count in the first refutation.
    int few = 32;      // So many crashed operations can all be tried everywhere by a descent.
    bool ordered = false;  // Whether an order is asked for.
    bool explains = true;  // Whether to look for few operations that contradict each other.
    Descents descents = Descents::kBeside;
};

struct Outcome {
    Decision decision = Decision::kUnknown;
    std::int32_t event = 0;  // The first event that could not be passed.
    std::size_t nodes = 0;
    double explaining = 0;   // Invalid: how many seconds it took to find the contradiction.
    std::string stopped;     // Unknown: the limit that was hit.
    std::vector<std::int32_t> order;  // Valid, if it is asked for: operations of the timeline.
    // Invalid: operations that contradict each other, if that could be narrowed down.
    std::vector<std::int32_t> contradiction;
};

template <class Problem, class Mask>
class Search {
    using Space = typename Problem::template Space<Mask>;
    using Configuration = Config<Mask>;
    struct Checkpoint {
        std::int32_t position;
        bool exact;
        std::vector<Configuration> configs;
        std::vector<std::int32_t> trails;  // Of each configuration, if an order is asked for.
    };

  public:
    Search(const Problem& problem, const Timeline& timeline, const Plan& plan,
           const Limits& limits)
        : problem_(problem),
          timeline_(timeline),
          plan_(plan),
          limits_(limits),
          space_(problem.template space<Mask>()),
          frontier_(timeline, space_, problem.kinds(), plan.reductions, limits) {
        if (!problem.knows_states()) let_descend();
        space_.look_ahead(timeline);
        for (const auto& each : timeline.operations) {
            has_crashed_ = has_crashed_ || each.role == Role::kPooled;
        }
        if (plan.ordered) frontier_.trail = &trail_;
        frontier_.start({problem.initial()});
        checkpoints_.push_back({0, true, frontier_.configs, frontier_.trails});
    }

    Outcome run() {
        try {
            plan_.descents == Descents::kAlone ? descend_alone() : decide();
            if (outcome_.decision == Decision::kInvalid && plan_.explains) {
                decided_ = Limits::now();
                explain(limits_.within(1 + 2 * (decided_ - begin_)));
            }
        } catch (const Stopped& stopped) {
            outcome_.stopped = stopped.reason;
        }
        if (outcome_.decision != Decision::kInvalid) outcome_.event = furthest_;
        if (decided_ > 0) outcome_.explaining = Limits::now() - decided_;
        outcome_.nodes = frontier_.nodes() + nodes_elsewhere_;
        if (descent_) outcome_.nodes += descent_->nodes();
        return outcome_;
    }

  private:
    void decide() {
        while (frontier_.position() < end() && !descends()) {
            frontier_.thrifty = plan_.beam > 0;
            if (step(plan_.beam)) continue;
            if (exact_) invalid(frontier_.position() - 1);
            if (exact_ || !rescue()) return;
        }
        if (descent_ && descent_->refuted()) return invalid(descent_->died());
        outcome_.decision = Decision::kValid;
        if (plan_.ordered) {
            outcome_.order = descent_ && descent_->found()
                                 ? descent_->order()
                                 : trail_.order(frontier_.trails.front(), timeline_);
        }
    }

    void let_descend() {
        if (plan_.descents != Descents::kNone && !descent_) {
            descent_.emplace(problem_, timeline_, plan_.few, limits_);
        }
    }

    void descend_alone() {
        descent_.emplace(problem_, timeline_, plan_.few, limits_);
        descent_->run(std::numeric_limits<double>::infinity());
        if (descent_->refuted()) return invalid(descent_->died());
        if (!descent_->found()) throw Stopped{"there is no room to go down"};
        outcome_.decision = Decision::kValid;
        if (plan_.ordered) outcome_.order = descent_->order();
    }

    // Gives the descent as much time as the rest has had, and says whether it decided.
    // So neither of the two costs more than twice what the other one alone does.
    bool descends() {
        if (!descent_ || descent_->is_over()) return descent_decided();
        const auto work = frontier_.nodes() + ++moves_;
        if (work < next_turn_) return false;
        next_turn_ = work + kWorkBetweenTurns;
        const double now = Limits::spent();
        const double others = now - spent_before_ - descended_;
        if (others < descended_) return false;
        descent_->run(now + std::max(kTurnSeconds, (1 + kAhead) * others - descended_));
        descended_ += Limits::spent() - now;
        return descent_decided();
    }

    bool descent_decided() const {
        return descent_ && (descent_->found() || descent_->refuted());
    }

    std::int32_t end() const { return static_cast<std::int32_t>(timeline_.events.size()); }

    void invalid(std::int32_t event) {
        outcome_.decision = Decision::kInvalid;
        outcome_.event = event;
    }

    // Goes over one event with a beam; false if no configuration is left.
    bool step(std::size_t beam) {
        frontier_.node_limit = beam * 16;
        if (beam == 0 || beam > kRoughMost) {
            frontier_.ignore_nothing();
        } else if (frontier_.position() % kStride == 0) {
            frontier_.ignore_the_plentiful(plan_.plenty);
        }
        frontier_.gave_up = false;
        frontier_.advance();
        if (frontier_.gave_up) exact_ = false;
        if (frontier_.configs.empty()) return false;
        if (beam > 0 && frontier_.configs.size() > beam) narrow(beam);
        furthest_ = std::max(furthest_, frontier_.position());
        if (frontier_.position() % kStride == 0) remember();
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
        if (plan_.ordered) return narrow_with_trails(beam, worth);
        std::nth_element(configs.begin(), configs.begin() + beam, configs.end(),
                         [&](const auto& a, const auto& b) { return worth(a) < worth(b); });
        configs.resize(beam);
    }

    // The same, so that whoever asks for an order gets it where it was found without.
    template <class Worth>
    void narrow_with_trails(std::size_t beam, Worth worth) {
        std::vector<std::pair<Configuration, std::int32_t>> both;
        for (std::size_t i = 0; i < frontier_.configs.size(); ++i) {
            both.push_back({frontier_.configs[i], frontier_.trails[i]});
        }
        std::nth_element(both.begin(), both.begin() + beam, both.end(),
                         [&](const auto& a, const auto& b) {
                             return worth(a.first) < worth(b.first);
                         });
        frontier_.configs.clear();
        frontier_.trails.clear();
        for (std::size_t i = 0; i < beam; ++i) {
            frontier_.configs.push_back(both[i].first);
            frontier_.trails.push_back(both[i].second);
        }
    }

    // Checkpoints lie the wider apart the older they are, so that their number grows only with
    // the logarithm of the length.
    void remember() {
        if (checkpoints_.back().position >= frontier_.position()) return;
        checkpoints_.push_back(
            {frontier_.position(), exact_, frontier_.configs, frontier_.trails});
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
        if (frontier_.usage().size() > 2 * usages_ + 1024) forget_usage();
        if (trail_.size() > 2 * steps_ + 1'000'000) forget_trails();
    }

    // What no configuration uses any more is forgotten when it has come to be the greater part.
    void forget_usage() {
        std::vector<std::uint32_t*> numbers;
        for (auto& config : frontier_.configs) numbers.push_back(&config.usage);
        for (auto& checkpoint : checkpoints_) {
            for (auto& config : checkpoint.configs) numbers.push_back(&config.usage);
        }
        frontier_.usage().keep(numbers);
        usages_ = frontier_.usage().size();
    }

    void forget_trails() {
        std::vector<std::int32_t*> lasts;
        for (auto& last : frontier_.trails) lasts.push_back(&last);
        for (auto& checkpoint : checkpoints_) {
            for (auto& last : checkpoint.trails) lasts.push_back(&last);
        }
        trail_.keep(lasts);
        steps_ = trail_.size();
    }

    // The beam has died: either there is no order, or it was too narrow. Small windows and
    // wider beams take turns, so that the cheaper proof is found at about its own cost.
    bool rescue() {
        auto died = frontier_.position() - 1;
        for (int level = 0;; ++level) {
            // Where states are known, beams and refutations seldom need help.
            if (level == kLevelsAlone) let_descend();
            next_turn_ = 0;
            if (descends()) return true;
            auto window = plan_.window << std::min(level, 20);
            auto from = std::max(0, died - window);
            if (plan_.refute && refute(from, died, level)) {
                invalid(died);
                return false;
            }
            const auto shift = std::min(level + 1, 20);
            if (widen(from, died, window, plan_.beam << 2 * shift, true)) return true;
            if (outcome_.decision == Decision::kInvalid) return false;
            // Without crashed operations there is nothing to be thrifty with.
            if (has_crashed_ && widen(from, died, window, plan_.beam << shift, false)) return true;
            if (outcome_.decision == Decision::kInvalid) return false;
            // It came further than before: what killed it there may be easier to refute.
            if (frontier_.position() - 1 > died) {
                died = frontier_.position() - 1;
                level = -1;
            }
        }
    }

    // Goes there again with a wider beam. `thrifty`: with crashed operations only where there is
    // no other way, which is much cheaper.
    bool widen(std::int32_t from, std::int32_t died, std::int32_t window, std::size_t beam,
               bool thrifty) {
        std::size_t at = checkpoints_.size() - 1;
        while (at > 0 && checkpoints_[at].position > from) --at;
        checkpoints_.resize(at + 1);
        frontier_.thrifty = thrifty;
        frontier_.seek(checkpoints_[at].position);
        frontier_.configs = checkpoints_[at].configs;
        frontier_.trails = checkpoints_[at].trails;
        exact_ = checkpoints_[at].exact;
        auto until = std::min(end(), died + window);
        while (frontier_.position() < until) {
            if (descends()) return true;
            if (!step(beam)) {
                if (exact_) invalid(frontier_.position() - 1);
                return false;
            }
        }
        return true;
    }

    // Starts a little before the death from any state, with what was pending there optional and
    // crashed operations reusable: this contains every true configuration, so that if it dies
    // too there is no order, whatever came before. First only the quickest operations count.
    bool refute(std::int32_t from, std::int32_t died, int level) {
        if (!problem_.knows_states()) return false;
        auto excerpt = window(from, died, Role::kPooled);
        const auto most = std::size_t{2048} << std::min(level, 40);
        const auto tracked_most = plan_.tracked << std::min(level, 10);
        for (int tracked = plan_.tracked; tracked <= tracked_most; tracked *= 2) {
            excerpt.track(tracked);
            if (excerpt.contradicts(most, plan_.reductions, limits_)) return true;
        }
        nodes_elsewhere_ += excerpt.nodes();
        return false;
    }

    // Looks for few operations that contradict each other, whichever of the others happened:
    // the last one alone, or some of a window, the smaller the better. At first others may
    // happen any number of times, which costs less, where the states are known.
    void explain(const Limits& limits) {
        const auto died = outcome_.event;
        if (problem_.knows_states() && explain_by_window(died, limits)) return;
        auto excerpt = window(0, died, Role::kOnce);
        excerpt.track(kSlotsMost);
        outcome_.contradiction = excerpt.shrunk(plan_.reductions, limits);
    }

    bool explain_by_window(std::int32_t died, const Limits& limits) {
        auto excerpt = window(0, died, Role::kPooled);
        excerpt.track_last();
        if (excerpt.contradicts(kNodesMost, plan_.reductions, limits)) {
            outcome_.contradiction = excerpt.tracked();
            return true;
        }
        for (std::int64_t span = plan_.window;; span *= 2) {
            const auto from = static_cast<std::int32_t>(std::max<std::int64_t>(0, died - span));
            excerpt = window(from, died, Role::kPooled);
            for (int tracked = 6; tracked < kSlotsMost; tracked *= 4) {
                excerpt.track(tracked);
                const auto most = std::size_t{2048} * tracked;
                if (!excerpt.contradicts(most, plan_.reductions, limits)) continue;
                outcome_.contradiction = excerpt.shrunk(plan_.reductions, limits);
                return true;
            }
            if (from == 0) return false;
        }
    }

    Excerpt<Problem> window(std::int32_t from, std::int32_t until, Role demoted) {
        frontier_.seek(from);
        std::vector<std::int32_t> kinds, numbers;
        frontier_.each_pending([&](const Operation& operation) {
            numbers.push_back(static_cast<std::int32_t>(&operation - timeline_.operations.data()));
            kinds.push_back(operation.kind);
        });
        for (auto at = from; at <= until; ++at) {
            auto event = timeline_.events[at];
            if (event < 0) continue;
            numbers.push_back(event);
            kinds.push_back(timeline_.operations[event].kind);
        }
        auto known = kinds.size();
        problem_.add_relevant(kinds, crashed_kinds());
        for (auto i = known; i < kinds.size(); ++i) {
            auto number = first_crashed_[kinds[i]];
            if (timeline_.operations[number].invoked < from) numbers.push_back(number);
        }
        std::sort(numbers.begin(), numbers.end());
        return {problem_, timeline_, std::move(numbers), from, until, demoted};
    }

    // The kinds of crashed operations, arranged; and the first operation of each.
    const std::vector<std::int32_t>& crashed_kinds() {
        if (!first_crashed_.empty()) return crashed_kinds_;
        first_crashed_.assign(problem_.kinds(), -1);
        for (std::size_t i = 0; i < timeline_.operations.size(); ++i) {
            const auto& operation = timeline_.operations[i];
            if (operation.role != Role::kPooled || first_crashed_[operation.kind] >= 0) continue;
            first_crashed_[operation.kind] = static_cast<std::int32_t>(i);
            crashed_kinds_.push_back(operation.kind);
        }
        problem_.arrange(crashed_kinds_);
        return crashed_kinds_;
    }

    const Problem& problem_;
    const Timeline& timeline_;
    Plan plan_;
    const Limits& limits_;
    Space space_;
    Frontier<Space, Mask> frontier_;
    std::optional<Descent<Problem>> descent_;
    const double begin_ = Limits::now();
    const double spent_before_ = Limits::spent();
    double descended_ = 0;  // The processor time that the descent has had, in seconds.
    std::size_t moves_ = 0, next_turn_ = 0;
    std::vector<Checkpoint> checkpoints_;
    bool exact_ = true;
    Trail trail_;
    std::size_t steps_ = 0;  // In the trail, when it was last cleared out.
    std::size_t usages_ = 0;
    std::size_t nodes_elsewhere_ = 0;
    double decided_ = 0;        // When it turned out to be invalid; 0: it did not.
    bool has_crashed_ = false;  // Whether any operation is pooled.
    std::int32_t furthest_ = 0;
    std::vector<std::int32_t> first_crashed_, crashed_kinds_;
    Outcome outcome_;
};

}  // namespace partita::search
