#include "mismatches.h"

#include <algorithm>

namespace partita {
namespace {

// Later passes only delay what earlier ones could not satisfy; histories need one or two.
constexpr int passes_max = 16;

class Mismatches {
   public:
    Mismatches(const Links& links, const std::vector<Chain>& chains, bool ordered)
        : links_(links), ops_(links.ops), chains_(chains), ordered_(ordered) {}

    ChainResult check() {
        if (!find_blocks()) return {Answer::not_applicable, {}};
        for (const Expectation& each : expectations_) {
            if (Conflict conflict; surely_wrong(each, conflict)) {
                return {Answer::invalid, conflict};
            }
        }
        if (expectations_.empty() && !ordered_) return {Answer::valid, {}};
        if (!some_order_fits()) return {Answer::not_applicable, {}};
        return {Answer::valid, {}, ordered_ ? order_with_mismatches() : std::vector<int32_t>{}};
    }

   private:
    // A mismatch whose value was in the register at some time: from its writer's moment
    // (none: from the start) to that of the next writer.
    struct Expectation {
        int32_t mismatch;
        int32_t writer;
    };

    // Leaves out the mismatches whose value never was in the register, which fit anywhere.
    // Returns false if a value came more than once: then more than one block has to be left.
    bool find_blocks() {
        std::vector<int32_t> writer(links_.writer.size(), none);
        std::vector<int32_t> times(links_.writer.size(), 0);
        for (int32_t i = 0; i < size(); i++) {
            links_.limits.poll();
            const Operation& op = ops_[i];
            if (!links_.kept[i] || (op.kind != Kind::write && op.kind != Kind::cas)) continue;
            writer[op.left] = i;
            times[op.left]++;
        }
        if (links_.initial != none) times[links_.initial]++;
        for (int32_t i = 0; i < size(); i++) {
            if (ops_[i].kind != Kind::mismatch) continue;
            if (times[ops_[i].seen] > 1) return false;
            if (times[ops_[i].seen] == 1) expectations_.push_back({i, writer[ops_[i].seen]});
        }
        return true;
    }

    // Whether the value was there before the mismatch began, and still after it was over.
    bool surely_wrong(const Expectation& each, Conflict& conflict) const {
        const Operation& mismatch = ops_[each.mismatch];
        const int32_t value = mismatch.seen;
        int32_t before = each.writer, after = none;
        auto look = [&](int32_t i) {
            if (before != none && ops_[i].completed < ops_[before].completed) before = i;
            if (after == none || ops_[i].invoked > ops_[after].invoked) after = i;
        };
        if (links_.observed[value]) {
            for (int32_t r = links_.first_read[value]; r != none; r = links_.next_read[r]) look(r);
        }
        if (const int32_t cas = links_.next_cas[value]; cas != none) {
            if (after == none || ops_[cas].invoked > ops_[after].invoked) after = cas;
        }
        if (after == none || ops_[after].invoked < mismatch.completed) return false;
        if (before != none && ops_[before].completed > mismatch.invoked) return false;
        conflict = {"mismatch", {before, each.mismatch, after}, {}};
        return true;
    }

    // Chains in an order that respects what must come before what: forward chains by their
    // intervals, which are disjoint; a backward one where its interval begins, unless that is
    // inside of a forward chain: then directly behind it.
    std::vector<const Chain*> ordered() const {
        std::vector<const Chain*> forward;
        for (const Chain& chain : chains_) {
            if (chain.forward()) forward.push_back(&chain);
        }
        std::sort(forward.begin(), forward.end(), [](const Chain* a, const Chain* b) {
            return a->least_completion < b->least_completion;
        });
        using Placed = std::pair<std::pair<int64_t, int64_t>, const Chain*>;
        std::vector<Placed> placed;
        for (const Chain& chain : chains_) {
            int64_t place = chain.forward() ? chain.least_completion : chain.greatest_invocation;
            if (!chain.forward()) {
                auto after = std::lower_bound(
                    forward.begin(), forward.end(), place,
                    [](const Chain* f, int64_t time) { return f->least_completion < time; });
                if (after != forward.begin()) {
                    place = std::max(place, (*std::prev(after))->greatest_invocation);
                }
            }
            placed.push_back({{place, chain.greatest_invocation}, &chain});
        }
        std::sort(placed.begin(), placed.end());
        std::vector<const Chain*> result;
        for (const Placed& each : placed) result.push_back(each.second);
        return result;
    }

    // Between operations, a place has a moment; at one moment, that of a mismatch is behind the
    // operation at place `after` of the order (none: before all).
    struct Spot {
        int64_t moment;
        int32_t after;
        int32_t operation;
        bool operator<(const Spot& other) const {
            return moment != other.moment ? moment < other.moment : after < other.after;
        }
    };

    // A mismatch is put where it begins, but behind the next write if its value is there.
    std::vector<int32_t> order_with_mismatches() const {
        std::vector<Spot> spots;
        std::vector<int32_t> place(ops_.size(), none), next(ops_.size(), none);
        int64_t moment = before_all;
        int32_t last = none, first = none;
        for (int32_t at = 0; at < static_cast<int32_t>(order_.size()); at++) {
            const int32_t i = order_[at];
            place[i] = at;
            moment = std::max(moment, earliest_[i]);
            spots.push_back({moment, at, i});
            if (ops_[i].kind == Kind::read) continue;
            (last == none ? first : next[last]) = i;
            last = i;
        }
        std::vector<Spot> of_mismatch(ops_.size());
        for (int32_t i = 0; i < size(); i++) of_mismatch[i] = {ops_[i].invoked, none, i};
        for (const auto& [mismatch, writer] : expectations_) {
            const bool begun = writer == none || spots[place[writer]].moment < ops_[mismatch].invoked;
            const int32_t end = writer == none ? first : next[writer];
            if (!begun || end == none || spots[place[end]].moment < ops_[mismatch].invoked) continue;
            of_mismatch[mismatch] = {spots[place[end]].moment, place[end], mismatch};
        }
        for (int32_t i = 0; i < size(); i++) {
            if (ops_[i].kind == Kind::mismatch) spots.push_back(of_mismatch[i]);
        }
        std::stable_sort(spots.begin(), spots.end());
        std::vector<int32_t> operations;
        for (const Spot& spot : spots) operations.push_back(spot.operation);
        return operations;
    }

    // Gives each operation the earliest moment that this order allows, and delays the writer of
    // a mismatch's value until the mismatch has begun if the next writer comes too late.
    // Moments only grow, so that what comes out is the earliest that fits, if anything does.
    bool some_order_fits() {
        std::vector<int32_t>& order = order_;
        for (const Chain* chain : ordered()) {
            links_.walk(chain->head, [&](int32_t i, int32_t) { order.push_back(i); });
        }
        std::vector<int64_t>& earliest = earliest_;
        std::vector<int64_t> next_write(ops_.size(), never);
        earliest.resize(ops_.size());
        for (int32_t i = 0; i < size(); i++) earliest[i] = ops_[i].invoked;
        for (int pass = 0; pass < passes_max; pass++) {
            int64_t moment = before_all;
            int64_t first_write = never;
            int32_t last = none;
            for (const int32_t i : order) {
                links_.limits.poll();
                moment = std::max(moment, earliest[i]);
                if (moment > ops_[i].completed) return false;
                if (ops_[i].kind == Kind::read) continue;
                earliest[i] = moment;
                (last == none ? first_write : next_write[last]) = moment;
                last = i;
            }
            bool fits = true;
            for (const auto& [mismatch, writer] : expectations_) {
                const Operation& op = ops_[mismatch];
                const int64_t begin = writer == none ? before_all : earliest[writer];
                const int64_t end = writer == none ? first_write : next_write[writer];
                if (begin >= op.invoked || end < op.completed) continue;
                if (writer == none) return false;
                earliest[writer] = op.invoked;
                fits = false;
            }
            if (fits) return true;
        }
        return false;
    }

    int32_t size() const { return static_cast<int32_t>(ops_.size()); }

    const Links& links_;
    const std::vector<Operation>& ops_;
    const std::vector<Chain>& chains_;
    const bool ordered_;
    std::vector<Expectation> expectations_;
    std::vector<int32_t> order_;     // of all but the mismatches
    std::vector<int64_t> earliest_;  // by operation: the moment that the order allows
};

}  // namespace

ChainResult check_mismatches(const Links& links, const std::vector<Chain>& chains,
                             bool ordered) {
    return Mismatches(links, chains, ordered).check();
}

}  // namespace partita
