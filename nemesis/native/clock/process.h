// A process whose clock is to be changed: found, stopped, read and written through /proc.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hook.h"

namespace clocks {

// The processes that work in a folder (the home), or have a file below another (the data) open.
// An empty folder stands for none, and two of them for all processes.
std::vector<pid_t> processes(const std::string& home, const std::string& data);

// Whether it is there, and more than the rest of one that has ended.
bool lives(pid_t pid);

std::string name_of(pid_t pid);

// Its vDSO: the code by which it asks for the time. All raise std::runtime_error.
class Clock {
public:
    // Reads it. Raises if this process has none that we know.
    explicit Clock(pid_t pid);
    ~Clock();
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;

    // Whether the process runs through our code now.
    bool shifted() const;

    // What it was told last, all zero if it never was.
    Shifts shifts() const;

    // Lets it tell another time from now on, or the true one again if there are none.
    void shift(Shifts wanted);

    // The vDSO as it stands in the process, and where in it each entry lies.
    const std::vector<unsigned char>& image() const { return image_; }
    std::uint64_t entry(std::size_t number) const { return entries_[number]; }

private:
    void find();
    void parse();
    void get(std::uint64_t offset, void* bytes, std::size_t size) const;
    void put(std::uint64_t offset, const void* bytes, std::size_t size);
    void write(const Shifts& wanted);
    bool inside(pid_t thread) const;

    pid_t pid_;
    int memory_ = -1;
    std::uint64_t from_ = 0;  // where it lies in the process
    std::vector<unsigned char> image_;
    std::array<std::uint64_t, kEntries> entries_{};
    std::uint64_t place_ = 0;  // of our code, in what is left of its last page
};

}  // namespace clocks
