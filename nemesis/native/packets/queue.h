// A netfilter queue: packets that the kernel hands over, and the word that lets them go on.
// It is spoken to by netlink alone, for a node has no library of ours.
#pragma once

#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace packets {

struct Packet {
    std::uint32_t id = 0;
    std::uint32_t bytes = 0;
    std::uint32_t mark = 0;
    std::vector<std::uint8_t> text;  // all of it, if the queue was asked for that
};

class Queue {
public:
    // Takes the queue of that number; `whole` asks for what the packets hold, too. Raises
    // std::system_error if it cannot be had.
    Queue(std::uint16_t number, bool whole);
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    // For poll().
    [[nodiscard]] int descriptor() const { return socket_; }

    // Appends what has come; does not wait.
    void receive(std::vector<Packet>& packets);

    // Lets a packet go on, through the same rules once more, with these bits in its mark: by
    // them the rule that brought it here lets it pass now.
    void pass(const Packet& packet, std::uint32_t bits);

    // The same, with what the packet's text is now.
    void pass_changed(const Packet& packet, std::uint32_t bits);

    void drop(const Packet& packet);

private:
    class Message;

    void configure(Message& message, const char* what);
    void say(Message& message);
    void verdict(const Packet& packet, std::uint32_t verdict, std::uint32_t mark);
    Packet read(const nlmsghdr* header) const;

    int socket_;
    std::uint16_t number_;
    bool whole_;
    // A packet of 64 kB and what is said of it.
    alignas(nlmsghdr) std::array<char, 1 << 17> buffer_{};
};

}  // namespace packets
