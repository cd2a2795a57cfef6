#include "queue.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace packets {

namespace {

constexpr std::uint32_t kHeaderBytes = 40;      // where we want a packet's length, not its text
constexpr std::uint32_t kWholeBytes = 0xffff;   // the kernel takes the most that it can
constexpr std::uint32_t kWaitingMax = 100'000;  // more pass as if nobody listened
constexpr int kReceiveBytes = 32 << 20;

[[noreturn]] void raise(int error, const char* what) {
    throw std::system_error(error, std::generic_category(), what);
}

std::uint32_t number_in(const nlattr* attribute) {
    std::uint32_t number = 0;
    std::memcpy(&number, reinterpret_cast<const char*>(attribute) + NLA_HDRLEN, sizeof number);
    return ntohl(number);
}

}  // namespace

class Queue::Message {
public:
    Message(std::uint16_t queue, std::uint16_t type, std::uint16_t flags) {
        header()->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_QUEUE << 8 | type);
        header()->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        header()->nlmsg_len = NLMSG_LENGTH(sizeof(nfgenmsg));
        auto* family = static_cast<nfgenmsg*>(NLMSG_DATA(header()));
        family->nfgen_family = AF_UNSPEC;
        family->version = NFNETLINK_V0;
        family->res_id = htons(queue);
    }

    template <typename Value>
    Message& add(std::uint16_t type, const Value& value) {
        nlattr attribute{};
        attribute.nla_type = type;
        attribute.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + sizeof value);
        char* at = bytes_.data() + NLMSG_ALIGN(header()->nlmsg_len);
        std::memcpy(at, &attribute, sizeof attribute);
        std::memcpy(at + NLA_HDRLEN, &value, sizeof value);
        header()->nlmsg_len = NLMSG_ALIGN(header()->nlmsg_len) + NLA_ALIGN(attribute.nla_len);
        return *this;
    }

    // The last attribute: there is no room behind it.
    void add_text(std::uint16_t type, const std::vector<std::uint8_t>& text) {
        nlattr attribute{};
        attribute.nla_type = type;
        attribute.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + text.size());
        const auto at = NLMSG_ALIGN(header()->nlmsg_len);
        bytes_.resize(at + NLA_ALIGN(attribute.nla_len));
        std::memcpy(bytes_.data() + at, &attribute, sizeof attribute);
        std::memcpy(bytes_.data() + at + NLA_HDRLEN, text.data(), text.size());
        header()->nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    }

    nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(bytes_.data()); }

private:
    std::vector<char> bytes_ = std::vector<char>(256);  // aligned, as all that is allocated
};

Queue::Queue(std::uint16_t number, bool whole)
    : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)),
      number_(number),
      whole_(whole) {
    if (socket_ < 0) raise(errno, "netlink");
    // What overflows is counted as passed, and is no error that would end us.
    const int one = 1;
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof kReceiveBytes);
    setsockopt(socket_, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof one);
    sockaddr_nl self{};
    self.nl_family = AF_NETLINK;
    if (bind(socket_, reinterpret_cast<sockaddr*>(&self), sizeof self) < 0) raise(errno, "netlink");

    nfqnl_msg_config_cmd command{};
    command.command = NFQNL_CFG_CMD_BIND;
    Message binding(number_, NFQNL_MSG_CONFIG, NLM_F_ACK);
    configure(binding.add(NFQA_CFG_CMD, command), "the queue");

    nfqnl_msg_config_params parameters{};
    parameters.copy_range = htonl(whole ? kWholeBytes : kHeaderBytes);
    parameters.copy_mode = NFQNL_COPY_PACKET;
    const std::uint32_t flags = htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN);
    Message wanted(number_, NFQNL_MSG_CONFIG, NLM_F_ACK);
    wanted.add(NFQA_CFG_PARAMS, parameters).add(NFQA_CFG_QUEUE_MAXLEN, htonl(kWaitingMax));
    configure(wanted.add(NFQA_CFG_FLAGS, flags).add(NFQA_CFG_MASK, flags), "its settings");
}

Queue::~Queue() { close(socket_); }

void Queue::receive(std::vector<Packet>& packets) {
    for (int round = 0; round < 64; ++round) {
        auto left = recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (left <= 0) return;
        auto* header = reinterpret_cast<nlmsghdr*>(buffer_.data());
        for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
            if (header->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
                packets.push_back(read(header));
        }
    }
}

Packet Queue::read(const nlmsghdr* header) const {
    Packet packet;
    const char* at = reinterpret_cast<const char*>(header) + NLMSG_LENGTH(sizeof(nfgenmsg));
    const char* end = reinterpret_cast<const char*>(header) + header->nlmsg_len;
    while (at + NLA_HDRLEN <= end) {
        const auto* attribute = reinterpret_cast<const nlattr*>(at);
        if (attribute->nla_len < NLA_HDRLEN || at + attribute->nla_len > end) break;
        switch (attribute->nla_type & NLA_TYPE_MASK) {
            case NFQA_PACKET_HDR: packet.id = number_in(attribute); break;
            case NFQA_MARK: packet.mark = number_in(attribute); break;
            // The whole length, if only the header was copied.
            case NFQA_CAP_LEN: packet.bytes = number_in(attribute); break;
            case NFQA_PAYLOAD: {
                const char* text = at + NLA_HDRLEN;
                if (packet.bytes == 0) packet.bytes = attribute->nla_len - NLA_HDRLEN;
                if (whole_) packet.text.assign(text, at + attribute->nla_len);
                break;
            }
            default: break;
        }
        at += NLA_ALIGN(attribute->nla_len);
    }
    // What was not copied would be cut off if it were given back.
    if (packet.text.size() != packet.bytes) packet.text.clear();
    return packet;
}

void Queue::pass(const Packet& packet, std::uint32_t bits) {
    verdict(packet, NF_REPEAT, packet.mark | bits);
}

void Queue::pass_changed(const Packet& packet, std::uint32_t bits) {
    const nfqnl_msg_verdict_hdr header{htonl(NF_REPEAT), htonl(packet.id)};
    Message message(number_, NFQNL_MSG_VERDICT, 0);
    message.add(NFQA_VERDICT_HDR, header).add(NFQA_MARK, htonl(packet.mark | bits));
    message.add_text(NFQA_PAYLOAD, packet.text);
    say(message);
}

void Queue::drop(const Packet& packet) { verdict(packet, NF_DROP, packet.mark); }

void Queue::verdict(const Packet& packet, std::uint32_t verdict, std::uint32_t mark) {
    const nfqnl_msg_verdict_hdr header{htonl(verdict), htonl(packet.id)};
    Message message(number_, NFQNL_MSG_VERDICT, 0);
    say(message.add(NFQA_VERDICT_HDR, header).add(NFQA_MARK, htonl(mark)));
}

void Queue::configure(Message& message, const char* what) {
    say(message);
    const auto got = recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (got < 0) raise(errno, what);
    const auto* answer = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    if (answer->nlmsg_type != NLMSG_ERROR) raise(EPROTO, what);
    const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(answer));
    if (error->error != 0) raise(-error->error, what);
}

void Queue::say(Message& message) {
    const auto* header = message.header();
    while (send(socket_, header, header->nlmsg_len, 0) < 0) {
        if (errno != EINTR && errno != ENOBUFS) raise(errno, "netlink");
    }
}

}  // namespace packets
