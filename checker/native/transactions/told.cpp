#include "told.h"

#include <charconv>

#include "scanning.h"

namespace partita::transactions {
namespace {

class Reader {
   public:
    Reader(const Txns& txns, Versions& versions) : txns_(txns), versions_(versions) {}

    void note(uint32_t element, int64_t version) {
        if (version < 0) return;
        int64_t& known = versions_.of_element[element];
        if (known >= 0 && known != version) versions_.contradicted.push_back(element);
        known = version;
        versions_.any = true;
    }

    // One transaction's list.
    void read(const ValueColumns& values, int32_t code, uint32_t txn) {
        op_ = txns_.first[txn];
        end_ = txns_.first[txn + 1];
        txn_ = txn;
        if (code < 0) return;
        if (values.is_pair(code)) {
            for (const int32_t part : {values.pairs[2 * code], values.pairs[2 * code + 1]}) {
                if (part >= 0 && (values.is_text[part] || values.is_pair(part))) refuse();
                take(part < 0 ? -1 : values.payload[part]);
            }
        } else if (values.is_text[code] && values.text_of(code).front() == '[') {
            const std::string_view text = values.text_of(code);
            const char *at = text.data() + 1, *end = text.data() + text.size() - 1;
            while (at < end) {
                const char* stop = end_of_value(at, end);
                if (stop == nullptr) refuse();
                int64_t number = -1;
                const auto [parsed, error] = std::from_chars(at, stop, number);
                const bool is_null = std::string_view(at, static_cast<size_t>(stop - at)) == "null";
                if (!is_null && (error != std::errc{} || parsed != stop)) refuse();
                take(is_null ? -1 : number);
                at = stop + 1;
            }
        } else {
            refuse();
        }
        if (op_ != end_) refuse();
    }

   private:
    [[noreturn]] void refuse() const {
        throw BadInput("versions is a list with one number or null for each micro-operation", {txn_});
    }

    void take(int64_t version) {
        if (op_ == end_) refuse();
        const MicroOp& op = txns_.ops[op_++];
        // Of a list that was read, the version is that of its last element.
        if (op.act != Act::unknown_read && op.element != none &&
            txns_.writer_of(op.element) != none && !is_own(op)) {
            note(op.element, version);
        }
    }

    bool is_own(const MicroOp& op) const {
        return op.act == Act::read && txns_.writer_of(op.element) == txn_;
    }

    const Txns& txns_;
    Versions& versions_;
    uint32_t op_ = 0, end_ = 0, txn_ = 0;
};

}  // namespace

Versions told_versions(const Txns& txns, const ToldVersions& told, Limits& limits) {
    Versions versions;
    bool any = told.count > 0;
    for (uint32_t txn = 0; txn < txns.count() && !any; txn++) any = txns.given.version[txn] >= 0;
    if (!any) return versions;
    versions.of_element.assign(txns.elements.size(), -1);
    Reader reader(txns, versions);
    for (uint32_t txn = 0; txn < txns.count(); txn++) {
        limits.poll();
        if (txns.given.version[txn] < 0 || txns.given.outcome[txn] == fail) continue;
        for (uint32_t i = txns.first[txn]; i < txns.first[txn + 1]; i++) {
            const MicroOp& op = txns.ops[i];
            const bool writes = op.act == Act::append || op.act == Act::write;
            if (writes) reader.note(op.element, txns.given.version[txn]);
        }
    }
    for (size_t i = 0; i < told.count; i++) {
        limits.poll();
        const auto txn = static_cast<uint32_t>(told.rows[i]);
        if (txns.given.outcome[txn] == ok) reader.read(told.values, told.codes[i], txn);
    }
    return versions;
}

}  // namespace partita::transactions
