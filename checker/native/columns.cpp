#include "columns.h"

#include <stdexcept>

namespace partita {
namespace {

// Numbers values in the order in which they come: by a table as long as the history has values
// where that is worth it, else by hashing.
class Numbering {
   public:
    Numbering(size_t value_count, size_t expected) {
        direct_ = value_count <= 8 * expected + 64;
        size_t slots = value_count + 1;
        if (!direct_) {
            for (slots = 64; slots < 4 * expected; slots *= 2) {
            }
            keys_.assign(slots, INT32_MIN);
        }
        numbers_.assign(slots, -1);
    }

    int32_t operator()(int32_t value) {
        int32_t& number = numbers_[slot(value)];
        if (number < 0) number = count_++;
        return number;
    }

    int32_t find(int32_t value) { return numbers_[slot(value)]; }
    int32_t count() const { return count_; }

   private:
    size_t slot(int32_t value) {
        if (direct_) return static_cast<size_t>(value + 1);
        const size_t mask = keys_.size() - 1;
        size_t at = (static_cast<uint32_t>(value) * 2654435769u) & mask;
        while (keys_[at] != value && keys_[at] != INT32_MIN) at = (at + 1) & mask;
        keys_[at] = value;
        return at;
    }

    bool direct_;
    int32_t count_ = 0;
    std::vector<int32_t> keys_, numbers_;
};

}  // namespace

RegisterOperations read_columns(const Columns& c, int32_t initial, Limits& limits) {
    RegisterOperations result;
    result.operations.reserve(c.row_count);
    Numbering number(c.value_count, 2 * c.row_count);
    for (size_t i = 0; i < c.row_count; i++) {
        limits.poll();
        const int64_t row = c.rows[i];
        Operation op{};
        op.kind = static_cast<Kind>(c.kind_of_f[c.f[row]]);
        op.crashed = c.outcome[row] == 2;
        op.invoked = c.invoked_rank[row];
        op.completed = op.crashed ? never : c.completed_rank[row];
        op.seen = op.left = -1;
        if (op.kind == Kind::read) {
            if (!op.crashed) op.seen = number(c.output[row]);
        } else if (op.kind == Kind::write) {
            op.left = number(c.input[row]);
        } else {
            const int32_t input = c.input[row];
            const int32_t* pair = c.pairs + 2 * input;
            if (input < 0 || pair[0] < -1) throw std::invalid_argument("a cas without a pair");
            op.seen = number(pair[0]);
            if (c.outcome[row] != 1) {
                op.left = number(pair[1]);
            } else if (c.output[row] >= 0) {
                op.kind = Kind::read;
                op.seen = number(c.output[row]);
            } else {
                op.kind = Kind::mismatch;
            }
        }
        result.operations.push_back(op);
    }
    result.initial = initial < -1 ? -1 : number.find(initial);
    result.values = number.count();
    return result;
}

}  // namespace partita
