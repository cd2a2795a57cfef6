#include "damage.h"

#include <netinet/in.h>

#include <optional>

namespace packets {

namespace {

constexpr std::size_t kIp4Header = 20;
constexpr std::size_t kIp6Header = 40;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kTcpHeader = 20;

// Where the parts of a packet begin and end, in bytes from its beginning.
struct Parts {
    std::size_t addresses = 0;  // both of them
    std::size_t addresses_bytes = 0;
    std::uint8_t protocol = 0;
    std::size_t segment = 0;   // the header of TCP or UDP
    std::size_t checksum = 0;  // two bytes
    std::size_t text = 0;
    std::size_t end = 0;
};

unsigned word(const std::uint8_t* at) { return static_cast<unsigned>(at[0] << 8 | at[1]); }

std::optional<Parts> segment_of_ip4(const std::uint8_t* packet, std::size_t bytes) {
    const std::size_t header = (packet[0] & 0xfu) * 4u;
    const bool fragment = (word(packet + 6) & 0x3fffu) != 0;
    if (header < kIp4Header || bytes < header || fragment) return std::nullopt;
    return Parts{.addresses = 12,
                 .addresses_bytes = 8,
                 .protocol = packet[9],
                 .segment = header,
                 .end = bytes};
}

// A packet with further headers is let be.
std::optional<Parts> segment_of_ip6(const std::uint8_t* packet, std::size_t bytes) {
    if (bytes < kIp6Header) return std::nullopt;
    return Parts{.addresses = 8,
                 .addresses_bytes = 32,
                 .protocol = packet[6],
                 .segment = kIp6Header,
                 .end = bytes};
}

std::optional<Parts> parts_of(const std::uint8_t* packet, std::size_t bytes) {
    if (bytes < kIp4Header) return std::nullopt;
    const unsigned version = packet[0] >> 4;
    auto parts = version == 4   ? segment_of_ip4(packet, bytes)
                 : version == 6 ? segment_of_ip6(packet, bytes)
                                : std::nullopt;
    if (!parts) return std::nullopt;
    const std::size_t left = parts->end - parts->segment;
    if (parts->protocol == IPPROTO_UDP && left >= kUdpHeader) {
        parts->checksum = parts->segment + 6;
        parts->text = parts->segment + kUdpHeader;
    } else if (parts->protocol == IPPROTO_TCP && left >= kTcpHeader) {
        parts->checksum = parts->segment + 16;
        parts->text = parts->segment + (packet[parts->segment + 12] >> 4) * 4u;
    } else {
        return std::nullopt;
    }
    if (parts->text >= parts->end) return std::nullopt;  // it carries nothing
    return parts;
}

std::uint64_t sum(const std::uint8_t* at, std::size_t bytes) {
    std::uint64_t total = 0;
    for (; bytes > 1; at += 2, bytes -= 2) total += word(at);
    return bytes == 0 ? total : total + static_cast<unsigned>(at[0] << 8);
}

// The kernel may have left the sum to a network card, which a packet between namespaces never
// meets. So it is written in any case.
void write_checksum(std::uint8_t* packet, const Parts& parts) {
    packet[parts.checksum] = packet[parts.checksum + 1] = 0;
    const std::size_t length = parts.end - parts.segment;
    std::uint64_t total = sum(packet + parts.addresses, parts.addresses_bytes) +
                          sum(packet + parts.segment, length) + parts.protocol + length;
    while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
    auto checksum = static_cast<std::uint16_t>(~total);
    if (checksum == 0 && parts.protocol == IPPROTO_UDP) checksum = 0xffff;  // 0 means: none
    packet[parts.checksum] = static_cast<std::uint8_t>(checksum >> 8);
    packet[parts.checksum + 1] = static_cast<std::uint8_t>(checksum & 0xff);
}

}  // namespace

bool damage(std::uint8_t* packet, std::size_t bytes, bool fits, std::mt19937_64& random) {
    const auto parts = parts_of(packet, bytes);
    if (!parts) return false;
    if (!fits) write_checksum(packet, *parts);
    const std::size_t bit = random() % ((parts->end - parts->text) * 8);
    packet[parts->text + bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    if (fits) write_checksum(packet, *parts);
    return true;
}

}  // namespace packets
