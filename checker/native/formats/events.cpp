#include "events.h"

#include <cstring>

namespace partita {
namespace {

// Counts in bytes as far as these reach, so that the compiler takes many at a time.
int64_t newlines(const char* at, const char* end) {
    constexpr ptrdiff_t stride = 128;
    int64_t count = 0;
    for (; end - at >= stride; at += stride) {
        unsigned char some = 0;
        for (ptrdiff_t i = 0; i < stride; i++) some += at[i] == '\n';
        count += some;
    }
    for (; at < end; at++) count += *at == '\n';
    return count;
}

}  // namespace

int64_t Events::line_at(const char* at) const {
    return line + newlines(piece.data() + used, at);
}

void Events::give(Recorder& recorder) const {
    const std::string_view all = text;
    uint32_t start = 0;
    for (const Step& step : steps_) {
        try {
            if (step.kind == Step::begin) {
                start = step.at;
                recorder.begin_event();
            } else if (step.kind == Step::field) {
                recorder.field(all.substr(step.name, step.name_end - step.name),
                               all.substr(step.value, step.value_end - step.value));
            } else {
                recorder.end_event();
            }
        } catch (const Malformed& error) {
            throw this->error({error.what(), piece.data() + start, piece.data() + step.at}, recorder);
        }
    }
    if (mistake_) throw error(*mistake_, recorder);
}

ReadError Events::error(const Mistake& mistake, const Recorder& recorder) const {
    // An event on the line of the one before is told apart by its number.
    const bool shares_line = line_at(mistake.start) == last_event_line_before(mistake.start);
    const int64_t number = shares_line ? recorder.events + 1 : 0;
    return {line_at(mistake.at), mistake.what, number, recorder.disordered()};
}

int64_t Events::last_event_line_before(const char* at) const {
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
        const char* place = piece.data() + step->at;
        if (step->kind == Step::end && place <= at) return line_at(place);
    }
    return last_event_line;
}

void Events::follow(const Events& before, const char* stop) {
    const auto left = static_cast<size_t>(before.piece.data() + before.size - stop);
    if (piece.size() < left) piece.resize(left);
    if (left > 0) std::memcpy(piece.data(), stop, left);
    size = left;
    used = 0;
    line = before.line_at(stop);
    last_event_line = before.last_event_line_before(stop);
    text.clear();
    steps_.clear();
}

}  // namespace partita
