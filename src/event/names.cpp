// SPDX-License-Identifier: Apache-2.0
// One table a list; to_ and parse_ read the same one, so that they cannot part.
#include "event/names.h"

#include "sallyport/abi/event.h"
#include "sallyport/abi/packet_socket.h"
#include "sallyport/abi/reason.h"
#include "sallyport/abi/types.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace sallyport {
namespace {

template <typename Number> using Entry = std::pair<Number, std::string_view>;

struct Reason {
    std::uint8_t number;
    std::string_view slug;
    std::string_view meaning;
};

constexpr Reason kReasons[] = {
#define X(name, number, slug, meaning) {number, slug, meaning},
    SP_REASONS(X)
#undef X
};

constexpr auto kDirections = std::to_array<Entry<std::uint8_t>>({
    {SP_INGRESS, "ingress"},
    {SP_EGRESS, "egress"},
    {SP_FORWARD, "forward"},
});

constexpr auto kHooks = std::to_array<Entry<std::uint8_t>>({
    {SP_HOOK_XDP, "xdp"},
    {SP_HOOK_CONNECT, "connect"},
    {SP_HOOK_SENDMSG, "sendmsg"},
    {SP_HOOK_CGROUP, "cgroup"},
    {SP_HOOK_TC, "tc"},
    {SP_HOOK_FORWARD, "forward"},
    {SP_HOOK_HOLD, "hold"},
    {SP_HOOK_SOCKET, "socket"},
});

constexpr auto kSocketFamilies = std::to_array<Entry<std::uint16_t>>({
    {SP_AF_PACKET, "packet"},
    {SP_AF_XDP, "xdp"},
});

constexpr auto kKinds = std::to_array<Entry<EventKind>>({
    {EventKind::drop, "drop"},
    {EventKind::would_drop, "would-drop"},
    {EventKind::opened, "new"},
    {EventKind::lost, "lost"},
    {EventKind::policy, "policy"},
    {EventKind::hook, "hook"},
    {EventKind::socket, "socket"},
    {EventKind::ban, "ban"},
    {EventKind::unban, "unban"},
    {EventKind::limit, "limit"},
});

constexpr auto kLosers = std::to_array<Entry<LostBy>>({
    {LostBy::ring_full, "ring-full"},
    {LostBy::over_rate, "over-rate"},
    {LostBy::slow_reader, "slow-reader"},
    {LostBy::log_file, "log-file"},
    {LostBy::journal, "journal"},
});

constexpr auto kStates = std::to_array<Entry<EventState>>({
    {EventState::attached, "attached"},
    {EventState::lost, "lost"},
    {EventState::restored, "restored"},
    {EventState::applied, "applied"},
    {EventState::refused, "refused"},
    {EventState::found, "found"},
    {EventState::trial, "trial"},
    {EventState::confirmed, "confirmed"},
    {EventState::rolled_back, "rolled-back"},
    {EventState::panic, "panic"},
    {EventState::begins, "begins"},
    {EventState::ends, "ends"},
});

constexpr auto kProtos = std::to_array<Entry<std::uint8_t>>({
    {1, "icmp"},
    {2, "igmp"},
    {4, "ipip"},
    {6, "tcp"},
    {17, "udp"},
    {33, "dccp"},
    {41, "ipv6"},
    {47, "gre"},
    {50, "esp"},
    {51, "ah"},
    {58, "icmpv6"},
    {89, "ospf"},
    {103, "pim"},
    {112, "vrrp"},
    {132, "sctp"},
    {136, "udplite"},
});

constexpr std::string_view kFlagLetters = "FSRPAUEC"; // by bit, the lowest first

template <typename Table, typename Number> std::string name_in(const Table& table, Number number) {
    for (const auto& [value, name] : table)
        if (value == number) return std::string(name);
    return fmt::to_string(static_cast<unsigned>(number));
}

template <typename Number, std::size_t N>
std::optional<Number> number_in(const std::array<Entry<Number>, N>& table, std::string_view name) {
    for (const auto& [value, text] : table)
        if (text == name) return value;
    return std::nullopt;
}

} // namespace

std::string reason_name(std::uint8_t reason) {
    for (const Reason& entry : kReasons)
        if (entry.number == reason) return std::string(entry.slug);
    return fmt::to_string(reason);
}

std::optional<std::uint8_t> parse_reason(std::string_view name) {
    for (const Reason& entry : kReasons)
        if (entry.slug == name) return entry.number;
    return std::nullopt;
}

std::string_view reason_meaning(std::uint8_t reason) {
    for (const Reason& entry : kReasons)
        if (entry.number == reason) return entry.meaning;
    return {};
}

std::vector<std::uint8_t> all_reasons() {
    std::vector<std::uint8_t> numbers;
    for (const Reason& entry : kReasons) numbers.push_back(entry.number);
    return numbers;
}

std::string direction_name(std::uint8_t direction) {
    return name_in(kDirections, direction);
}
std::optional<std::uint8_t> parse_direction(std::string_view name) {
    return number_in(kDirections, name);
}

std::string hook_name(std::uint8_t hook) {
    return name_in(kHooks, hook);
}
std::optional<std::uint8_t> parse_hook(std::string_view name) {
    return number_in(kHooks, name);
}

std::string socket_family_name(std::uint16_t family) {
    return name_in(kSocketFamilies, family);
}
std::optional<std::uint16_t> parse_socket_family(std::string_view name) {
    return number_in(kSocketFamilies, name);
}

std::string to_string(EventKind kind) {
    return name_in(kKinds, kind);
}
std::optional<EventKind> parse_event_kind(std::string_view name) {
    return number_in(kKinds, name);
}

std::string to_string(LostBy lost_by) {
    return name_in(kLosers, lost_by);
}
std::optional<LostBy> parse_lost_by(std::string_view name) {
    return number_in(kLosers, name);
}

std::string to_string(EventState state) {
    return name_in(kStates, state);
}
std::optional<EventState> parse_event_state(std::string_view name) {
    return number_in(kStates, name);
}

std::string proto_name(std::uint8_t proto) {
    return name_in(kProtos, proto);
}

std::optional<std::uint8_t> parse_proto(std::string_view name) {
    if (const auto known = number_in(kProtos, name)) return known;
    std::uint8_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return number;
}

std::string tcp_flag_letters(std::uint8_t flags) {
    std::string letters;
    for (std::size_t bit = 0; bit < kFlagLetters.size(); ++bit)
        if ((flags >> bit & 1) != 0) letters += kFlagLetters[bit];
    return letters.empty() ? "-" : letters;
}

std::optional<std::uint8_t> parse_tcp_flags(std::string_view letters) {
    if (letters == "-") return std::uint8_t{0};
    unsigned flags = 0;
    for (const char letter : letters) {
        const std::size_t bit = kFlagLetters.find(letter);
        if (bit == std::string_view::npos) return std::nullopt;
        flags |= 1u << bit;
    }
    if (letters.empty()) return std::nullopt;
    return static_cast<std::uint8_t>(flags);
}

std::string timestamp_text(WallTime at) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{seconds - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       time.hours().count(), time.minutes().count(), time.seconds().count(),
                       (at - seconds).count());
}

std::optional<WallTime> parse_timestamp(std::string_view text) {
    constexpr std::string_view shape = "0000-00-00T00:00:00.000000Z";
    if (text.size() != shape.size()) return std::nullopt;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == '0' ? !is_digit : text[i] != shape[i]) return std::nullopt;
    }
    const auto part = [&](std::size_t at, std::size_t length) {
        int value = 0;
        for (const char digit : text.substr(at, length)) value = value * 10 + (digit - '0');
        return value;
    };
    const std::chrono::year_month_day date{std::chrono::year{part(0, 4)},
                                           std::chrono::month{static_cast<unsigned>(part(5, 2))},
                                           std::chrono::day{static_cast<unsigned>(part(8, 2))}};
    if (!date.ok() || part(11, 2) > 23 || part(14, 2) > 59 || part(17, 2) > 59) return std::nullopt;
    return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{part(11, 2)} +
           std::chrono::minutes{part(14, 2)} + std::chrono::seconds{part(17, 2)} +
           std::chrono::microseconds{part(20, 6)};
}

} // namespace sallyport
