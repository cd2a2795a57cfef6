// Events on their way from whoever reads a notation to the recorder, which may be busy elsewhere.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reader.h"
#include "recorder.h"

namespace partita {

// What was read of one piece of a file, step by step. A step knows where in the piece it stands,
// and only errors ask on which line that is.
class Events {
   public:
    // The piece, of which the first `size` bytes came from the file. Steps begin behind `used`
    // bytes, on the line `line`; the event before them ended on the line `last_event_line`.
    std::vector<char> piece;
    size_t size = 0;
    size_t used = 0;
    int64_t line = 1;
    int64_t last_event_line = 0;

    // Names and values as compact JSON, back to back: whoever reads a field appends to it.
    std::string text;

    void begin_event(const char* at) { add(Step::begin, at); }
    void end_event(const char* at) { add(Step::end, at); }
    // A name from `begin` to `end` of the text, and a value behind that from `value` on.
    void field(const char* at, size_t begin, size_t end, size_t value) {
        add(Step::field, at);
        Step& step = steps_.back();
        step.name = static_cast<uint32_t>(begin);
        step.name_end = static_cast<uint32_t>(end);
        step.value = static_cast<uint32_t>(value);
        step.value_end = static_cast<uint32_t>(text.size());
    }

    // Lets a recorder take all of that. Throws `ReadError` if something is wrong with it.
    void give(Recorder& recorder) const;

    // Nothing follows, for something is wrong at a place, in a form that begins at `start`.
    void end_with(const std::string& what, const char* start, const char* at) {
        mistake_ = {what, start, at};
    }

    int64_t line_at(const char* at) const;

    // Takes what follows on another piece of which all before `stop` is done.
    void follow(const Events& before, const char* stop);

   private:
    struct Step {
        enum Kind : uint8_t { begin, field, end };
        uint32_t at, name, name_end, value, value_end;
        Kind kind;
    };

    void add(Step::Kind kind, const char* at) {
        steps_.push_back({static_cast<uint32_t>(at - piece.data()), 0, 0, 0, 0, kind});
    }

    struct Mistake {
        std::string what;
        const char* start = nullptr;
        const char* at = nullptr;
    };

    // What is wrong, once the recorder has taken all events before that.
    ReadError error(const Mistake& mistake, const Recorder& recorder) const;

    // The line on which the last event before a place ended.
    int64_t last_event_line_before(const char* at) const;

    std::vector<Step> steps_;
    std::optional<Mistake> mistake_;
};

}  // namespace partita
