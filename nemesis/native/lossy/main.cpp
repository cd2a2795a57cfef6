// partita-lossy: a store's own disk, that can lose its power: what was never synced is gone then.
//
//   partita-lossy mount BELOW MOUNTPOINT BYTES    (serves until it is unmounted, or told to end)
//   partita-lossy cut MOUNTPOINT all|some|torn SEED
//
// What is written lies in the folder BELOW at once; so it outlives this program. Whoever uses the
// disk when the program ends gets errors, and nobody hangs. It takes BYTES of memory at most for
// what is not synced: a file that needs more counts as synced. A cut prints how many files lost
// something, how many writes were lost, how many bytes of theirs, and how many bytes that had not
// been synced are there all the same. Names last at once: of files that are made, renamed, removed.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>

#include "folder.h"

namespace {

int cut(char** words) {
    const std::map<std::string, lossy::Lose> known{
        {"all", lossy::Lose::all}, {"some", lossy::Lose::some}, {"torn", lossy::Lose::torn}};
    const auto how = known.find(words[1]);
    if (how == known.end()) throw std::runtime_error(std::string(words[1]) + ": all, some or torn");
    const auto loss = lossy::cut(words[0], how->second, std::strtoull(words[2], nullptr, 10));
    for (const auto count : {loss.files, loss.writes, loss.bytes, loss.kept})
        std::printf("%llu ", static_cast<unsigned long long>(count));
    std::puts("");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        std::puts("partita-lossy 1");
        return 0;
    }
    try {
        if (argc == 5 && std::strcmp(argv[1], "mount") == 0)
            return lossy::serve(argv[2], argv[3], std::strtoull(argv[4], nullptr, 10));
        if (argc == 5 && std::strcmp(argv[1], "cut") == 0) return cut(argv + 2);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "partita-lossy: %s\n", error.what());
        return 1;
    }
    std::fprintf(stderr, "partita-lossy: usage: partita-lossy mount BELOW MOUNTPOINT BYTES, or "
                         "cut MOUNTPOINT all|some|torn SEED\n");
    return 2;
}
