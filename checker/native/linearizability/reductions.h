// What a search leaves out, and why nothing is lost.

#pragma once

namespace partita::search {

// Each can be switched off, so that tests can hold it against exhaustive search. `free`, `owed` and
// `spent` are explained in antichain.h.
struct Reductions {
    // An operation that is possible now and changes nothing becomes free: its place in the order
    // can be here, where nobody notices, whether or not it is done again with effect.
    bool pure = true;

    // When an operation is done that overwrites (is possible in every state, always with the
    // same result), all pending ones that overwrite become free: each can have its place
    // directly before, where its result is not seen. All of them can, in any order.
    bool hidden = true;

    // Operations of one kind can change places in an order while both are pending. So the one
    // that completes first is done first, unless only the other one is owed. In the same way a
    // crashed operation, which never completes, waits while a pending one of its kind is there.
    bool earliest = true;

    // A step is not taken if the state it leads to serves nobody: it frees nothing, and whatever
    // can be done there could be done directly, with the same result. Doing that directly
    // leaves the operation of the step free, or hidden, where the step would have spent it.
    bool useful = true;

    // Two steps in a row that commute, the first of which frees nothing, are taken only with the
    // one first that completes first. Where the second is what everything waits for, the first
    // is so left for later. (A configuration reached in two ways remembers only one; then what
    // is not done behind it is done behind another, whose last step completes later still:
    // there is an end to that.)
    bool commute = true;

    // A configuration is dropped if there is one as good (antichain.h).
    bool dominate = true;

    // States that nobody can see any more become one (register_space.h).
    bool unseen = true;
};

}  // namespace partita::search
