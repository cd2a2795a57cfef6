#include "reader.h"

#include <algorithm>
#include <cstring>

#include "scanner.h"
#include "taker.h"

namespace partita {
namespace {

// No line and no event of a history is as long as this; a file of one endless line is none.
constexpr size_t event_max = size_t{64} << 20;

// What some editors write at the beginning of a file.
constexpr std::string_view mark = "\xef\xbb\xbf";

class Reader {
   public:
    Reader(const Source& source, bool by_index, const std::function<void(int64_t)>& pause,
           size_t piece)
        : source_(source), pause_(pause), piece_(piece), taker_(result_.recorder) {
        result_.recorder.by_index = by_index;
    }

    ReadResult read(Notation notation) {
        Forms& forms = notation == Notation::edn ? static_cast<Forms&>(edn_) : json_;
        try {
            while (!last_) {
                fill();
                pause_(events_.line);
                notation == Notation::json_lines ? read_lines() : read_forms(forms);
                hand_over();
            }
        } catch (...) {
            taker_.finish();  // what is wrong with an event before that is said instead
            throw;
        }
        taker_.finish();
        finish();
        return std::move(result_);
    }

   private:
    // Reads on behind what is left of the piece before.
    void fill() {
        const size_t left = events_.size;
        if (left > event_max) {
            throw ReadError(events_.line, "this line is longer than 64 MiB: this is no history");
        }
        const size_t room = left + std::max(piece_, left);
        if (events_.piece.size() < room) events_.piece.resize(room);
        while (events_.size < room) {
            const size_t got = source_(events_.piece.data() + events_.size, room - events_.size);
            if (got == 0) {
                last_ = true;
                break;
            }
            events_.size += got;
        }
        if (pieces_ == 0 && std::string_view(events_.piece.data(), events_.size).starts_with(mark)) {
            events_.used = mark.size();
        }
        leave_out_nuls();
        at_ = events_.piece.data() + events_.used;
    }

    // A crash of the machine may leave NUL bytes where the last events should be: those at the end
    // of a piece are looked at together with what follows.
    void leave_out_nuls() {
        size_t size = events_.size;
        while (size > events_.used && events_.piece[size - 1] == '\0') size--;
        if (last_) {
            nuls_ += static_cast<int64_t>(events_.size - size);
            events_.size = size;
        }
        end_ = events_.piece.data() + size;
    }

    void hand_over() {
        const bool is_only = last_ && pieces_ == 0;
        pieces_++;
        Events next = taker_.spare();
        if (!last_) next.follow(events_, at_);
        std::swap(events_, next);
        taker_.take(std::move(next), is_only);
    }

    void read_lines() {
        while (at_ < end_) {
            const auto left = static_cast<size_t>(end_ - at_);
            const auto* newline = static_cast<const char*>(std::memchr(at_, '\n', left));
            if (newline == nullptr && !last_) return;
            const char* stop = newline == nullptr ? end_ : newline;
            try {
                read_line({at_, static_cast<size_t>(stop - at_)}, newline == nullptr);
            } catch (const Malformed& error) {
                return refuse(error, at_, at_);
            }
            at_ = newline == nullptr ? stop : stop + 1;
        }
    }

    void read_line(std::string_view line, bool cut_off) {
        while (!line.empty() && line.front() == '\0') {
            line.remove_prefix(1);
            nuls_++;
        }
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
        try {
            read_json_event(line, events_);
        } catch (const Unfinished&) {
            if (!cut_off) throw Malformed("not JSON: the line ends in the middle of the event");
            note_cut_off(line.data());
        }
    }

    void read_forms(Forms& forms) {
        try {
            while (at_ < end_) at_ = forms.read(at_, end_, last_, events_);
        } catch (const Unfinished&) {
            if (last_) note_cut_off(forms.start());
            return;
        } catch (const Malformed& error) {
            return refuse(error, forms.start(), forms.position());
        }
        if (last_ && forms.open() && result_.notes.empty()) note_cut_off(at_);
    }

    // Nothing behind a mistake is read.
    void refuse(const Malformed& error, const char* start, const char* at) {
        events_.end_with(error.what(), start, at);
        last_ = true;
    }

    void note_cut_off(const char* at) {
        result_.notes.push_back("line " + std::to_string(events_.line_at(at)) +
                                ", the last one, is cut off: what is left of it was left out");
    }

    void finish() {
        Recorder& recorder = result_.recorder;
        recorder.drop_event();  // one that was cut off
        try {
            recorder.finish();
        } catch (const Malformed& error) {
            throw ReadError(0, error.what());
        }
        if (nuls_ > 0) {
            result_.notes.push_back(std::to_string(nuls_) +
                                    " NUL bytes, which a crash left behind, were skipped");
        }
    }

    const Source& source_;
    const std::function<void(int64_t)>& pause_;
    const size_t piece_;
    ReadResult result_;
    Taker taker_;
    Edn edn_;
    JsonForms json_;
    Events events_;  // of the piece that is being read
    const char* at_ = nullptr;
    const char* end_ = nullptr;
    bool last_ = false;
    int64_t pieces_ = 0;  // before this one
    int64_t nuls_ = 0;
};

}  // namespace

ReadResult read_history(const Source& source, Notation notation, bool by_index,
                        const std::function<void(int64_t line)>& pause, size_t piece) {
    return Reader(source, by_index, pause, piece).read(notation);
}

}  // namespace partita
