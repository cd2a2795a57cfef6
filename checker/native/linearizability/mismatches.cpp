#include "mismatches.h"

#include <algorithm>

namespace partita {
namespace {

// Later passes only delay what earlier ones could not satisfy; histories need one or two.
constexpr int passes_max = 16;

class Mismatches {
   public:
    Mismatches(const Links& links, const std::vector<Chain>& chains)
        : links_(links), ops_(links.ops), chains_(chains) {}

    ChainResult check() {
        if (!find_blocks()) return {Answer::not_applicable, {}};
        for (const Expectation& each : expectations_) {
            if (Conflict conflict; surely_wrong(each, conflict)) {
                return {Answer::invalid, conflict};
            }
        }
        return {expectations_.empty() || some_order_fits() ? Answer::valid
                                                           : Answer::not_applicable,
                {}};
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

    // Gives each operation the earliest moment that this order allows, and delays the writer of
    // a mismatch's value until the mismatch has begun if the next writer comes too late.
    // Moments only grow, so that what comes out is the earliest that fits, if anything does.
    bool some_order_fits() {
        std::vector<int32_t> order;
        for (const Chain* chain : ordered()) {
            links_.walk(chain->head, [&](int32_t i, int32_t) { order.push_back(i); });
        }
        std::vector<int64_t> earliest(ops_.size()), next_write(ops_.size(), never);
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
    std::vector<Expectation> expectations_;
};

}  // namespace

ChainResult check_mismatches(const Links& links, const std::vector<Chain>& chains) {
    return Mismatches(links, chains).check();
}

}  // namespace partita
