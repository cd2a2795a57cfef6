#include "pieces.h"

#include <nanobind/stl/string_view.h>

#include <algorithm>
#include <string>

#include "given.h"

namespace partita::monitors {
namespace {

constexpr int32_t none = -1;
constexpr size_t bytes_each = 32;

// Pieces by a hash that grows letter by letter, so that all pieces which may begin at a place are
// looked up in one walk over as many letters as the longest has.
class Pieces {
   public:
    explicit Pieces(const std::vector<std::string_view>& pieces) : pieces_(pieces) {
        size_t size = 2;
        while (size < 2 * pieces.size()) size *= 2;
        table_.assign(size, none);
        for (size_t i = 0; i < pieces.size(); i++) {
            uint64_t hash = 0;
            for (const char letter : pieces[i]) hash = with(hash, letter);
            size_t at = place(hash);
            while (table_[at] != none) at = (at + 1) & (size - 1);
            table_[at] = static_cast<int32_t>(i);
            lengths_.push_back(pieces[i].size());
        }
        std::sort(lengths_.begin(), lengths_.end());
        lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
    }

    // Calls `note` with each piece that the text begins with.
    template <class Note>
    void each_beginning(std::string_view text, Limits& limits, Note note) const {
        uint64_t hash = 0;
        size_t length = 0;
        for (const size_t next : lengths_) {
            if (next > text.size()) return;
            for (; length < next; length++) {
                limits.poll();
                hash = with(hash, text[length]);
            }
            const int32_t piece = find(hash, text.substr(0, length));
            if (piece != none) note(piece);
        }
    }

   private:
    static uint64_t with(uint64_t hash, char letter) {
        return (hash ^ static_cast<unsigned char>(letter)) * 0x9e3779b97f4a7c15u + 1;
    }

    size_t place(uint64_t hash) const { return (hash ^ hash >> 32) & (table_.size() - 1); }

    int32_t find(uint64_t hash, std::string_view piece) const {
        size_t at = place(hash);
        while (table_[at] != none && pieces_[table_[at]] != piece) {
            at = (at + 1) & (table_.size() - 1);
        }
        return table_[at];
    }

    const std::vector<std::string_view>& pieces_;
    std::vector<int32_t> table_;
    std::vector<size_t> lengths_;  // that pieces have
};

}  // namespace

TakenApart take_apart(std::string_view text, const std::vector<std::string_view>& pieces,
                      Limits& limits) {
    limits.look_before_taking(bytes_each * pieces.size());
    const Pieces known(pieces);
    std::vector<bool> is_used(pieces.size());
    TakenApart found;
    while (!text.empty()) {
        known.each_beginning(text, limits, [&](int32_t piece) {
            if (!is_used[piece]) found.fitting.push_back(piece);
        });
        if (found.fitting.size() != 1) return found;
        const int32_t piece = found.fitting.front();
        found.fitting.clear();
        found.order.push_back(piece);
        is_used[piece] = true;
        text.remove_prefix(pieces[piece].size());
    }
    return found;
}

namespace {

namespace nb = nanobind;

// The limit that was reached, or nothing; the order of the pieces; those that fit behind them.
nb::tuple pieces_of_text(std::string_view text, const std::vector<std::string_view>& pieces,
                         std::optional<double> deadline, std::optional<int64_t> memory,
                         std::optional<Column<uint8_t>> stop) {
    TakenApart found;
    std::string reason;
    {
        nb::gil_scoped_release release;
        Limits limits = GivenLimits{deadline, memory, stop}.limits();
        try {
            limits.look();
            found = take_apart(text, pieces, limits);
        } catch (const Stopped& stopped) {
            reason = stopped.reason;
        }
    }
    return nb::make_tuple(reason, found.order, found.fitting);
}

const Binding bound([](nb::module_& m) {
    m.def("pieces_of_text", &pieces_of_text, nb::arg("text"), nb::arg("pieces"),
          nb::arg("deadline").none(), nb::arg("memory").none(), nb::arg("stop").none());
});

}  // namespace
}  // namespace partita::monitors
