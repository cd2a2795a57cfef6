#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "../bindings.h"
#include "../linearizability/monitors/given.h"
#include "judgement.h"
#include "reasons.h"

namespace nb = nanobind;

namespace partita::transactions {
namespace {

template <class T>
using Column = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Pairs = nb::ndarray<const int32_t, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;

ValueColumns values_of(const nb::object& values) {
    const auto text = nb::cast<Column<uint8_t>>(values.attr("text"));  // kept by the table of values
    return {nb::cast<Column<int64_t>>(values.attr("payload")).data(),
            nb::cast<Column<int8_t>>(values.attr("is_text")).data(),
            nb::cast<Pairs>(values.attr("pairs")).data(),
            nb::cast<Column<int64_t>>(values.attr("text_ends")).data(),
            {reinterpret_cast<const char*>(text.data()), text.size()}};
}

class Told {
   public:
    explicit Told(const Judgement& judgement) : judgement_(judgement), txns_(judgement.txns) {}

    nb::dict all() const {
        nb::dict told;
        told["anomalies"] = anomalies();
        told["cycles"] = cycles();
        told["violated"] = violated();
        told["by_revisions"] = judgement_.by_revisions;
        told["revisions"] = judgement_.revisions;
        told["stale"] = judgement_.stale;
        told["reads"] = judgement_.reads;
        told["committed"] = judgement_.committed;
        told["rules"] = rules();
        told["keys"] = txns_.keys.size();
        told["components"] = judgement_.cycles.components;
        told["largest"] = judgement_.cycles.largest;
        told["nodes"] = judgement_.nodes;
        told["edges"] = judgement_.edges;
        told["visits"] = judgement_.cycles.visits;
        if (judgement_.stopped != nullptr) told["stopped"] = judgement_.stopped;
        return told;
    }

   private:
    nb::object json(uint32_t element) const {
        if (element == none) return nb::none();
        const std::string text = txns_.json_of(element);
        return nb::bytes(text.data(), text.size());
    }

    nb::object key(uint32_t key) const {
        if (key == none) return nb::none();
        const std::string_view text = txns_.keys[key].json;
        return nb::bytes(text.data(), text.size());
    }

    nb::list anomalies() const {
        nb::list told;
        const Found& found = judgement_.found;
        for (size_t i = 0; i < anomaly_names.size(); i++) {
            if (found.counts[i] == 0) continue;
            nb::list examples;
            for (const Occurrence& each : found.examples[i]) {
                const int64_t op = each.op == none ? -1 : each.op - txns_.first[txns_.txn_of[each.op]];
                examples.append(nb::make_tuple(each.txns, key(each.key), json(each.element),
                                               json(each.other), op, each.fact, each.rule,
                                               each.other_rule));
            }
            told.append(nb::make_tuple(anomaly_names[i], found.counts[i], examples));
        }
        return told;
    }

    nb::list cycles() const {
        nb::list told;
        const Cycles& cycles = judgement_.cycles;
        for (size_t order = 0; order < orders; order++) {
            for (size_t kind = 0; kind < kinds; kind++) {
                const int64_t count = cycles.counts[kind][order];
                if (count == 0) continue;
                nb::list examples;
                for (const Cycle& each : cycles.examples[kind][order]) examples.append(edges(each));
                const std::string name = std::string(kind_names[kind]) + order_names[order];
                told.append(nb::make_tuple(name, count, cycles.cut[kind][order], examples));
            }
        }
        return told;
    }

    nb::list edges(const Cycle& cycle) const {
        constexpr const char* names[] = {"ww", "wr", "rw", "process", "realtime"};
        nb::list told;
        // They begin with the transaction that was invoked first.
        const size_t size = cycle.txns.size();
        const size_t begin = std::min_element(cycle.txns.begin(), cycle.txns.end()) - cycle.txns.begin();
        for (size_t i = 0; i < size; i++) {
            const size_t at = (begin + i) % size;
            const uint32_t source = cycle.txns[at], target = cycle.txns[(at + 1) % size];
            const Relation relation = cycle.relations[at];
            Reason why;
            if (relation < Relation::process) {
                why = reason_of(txns_, judgement_.links, source, target, relation);
            }
            told.append(nb::make_tuple(source, target, names[static_cast<size_t>(relation)],
                                       key(why.key), json(why.before), json(why.after),
                                       rule_names[static_cast<size_t>(why.rule)]));
        }
        return told;
    }

    nb::list violated() const {
        nb::list told;
        for (size_t model = 0; model < judgement_.cycles.violated.size(); model++) {
            for (size_t order = 0; order < orders; order++) {
                if (judgement_.cycles.violated[model][order]) told.append(nb::make_tuple(model, order));
            }
        }
        return told;
    }

    nb::list rules() const {
        nb::list told;
        for (const uint8_t rule : judgement_.rules) told.append(rule_names[rule]);
        return told;
    }

    const Judgement& judgement_;
    const Txns& txns_;
};

// Returns what was found, or (message, rows) for bad input, or the name of the limit that was hit.
nb::object transactions(Column<int64_t> process, Column<int32_t> input, Column<int32_t> output,
                        Column<int8_t> outcome, Column<int64_t> invoked, Column<int64_t> completed,
                        Column<int64_t> version, const nb::object& values,
                        std::optional<Column<int64_t>> told_rows,
                        std::optional<Column<int32_t>> told_codes, const nb::object& told_values,
                        bool writes_follow_reads, bool linearizable_keys, bool sequential_keys,
                        std::optional<double> deadline, std::optional<int64_t> memory,
                        std::optional<Column<uint8_t>> stop) {
    const Given given{process.size(), process.data(),   input.data(),     output.data(),
                      outcome.data(), invoked.data(),   completed.data(), version.data(),
                      values_of(values)};
    ToldVersions told;
    if (told_rows && told_codes) {
        told = {told_rows->size(), told_rows->data(), told_codes->data(), values_of(told_values)};
    }
    const Rules rules{writes_follow_reads, linearizable_keys, sequential_keys};
    std::optional<Judgement> judgement;
    std::string message;
    std::vector<uint32_t> rows;
    {
        nb::gil_scoped_release release;
        Limits limits(deadline, stop ? stop->data() : nullptr, memory);
        try {
            limits.look();
            judgement.emplace(given, told, rules, limits);
        } catch (const Stopped& stopped) {
            message = stopped.reason;
        } catch (const BadInput& bad) {
            message = bad.what();
            rows = bad.rows;
        }
    }
    if (judgement) return Told(*judgement).all();
    if (rows.empty()) return nb::cast(message);
    return nb::make_tuple(message, rows);
}

const Binding bound([](nb::module_& m) {
    m.def("transactions", &transactions, nb::arg("process"), nb::arg("input"), nb::arg("output"),
          nb::arg("outcome"), nb::arg("invoked"), nb::arg("completed"), nb::arg("version"),
          nb::arg("values"), nb::arg("told_rows").none(), nb::arg("told_codes").none(),
          nb::arg("told_values").none(), nb::arg("writes_follow_reads"),
          nb::arg("linearizable_keys"), nb::arg("sequential_keys"), nb::arg("deadline").none(),
          nb::arg("memory").none(), nb::arg("stop").none());
});

}  // namespace
}  // namespace partita::transactions
