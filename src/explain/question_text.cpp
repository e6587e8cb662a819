// SPDX-License-Identifier: Apache-2.0
// The grammar of a question:
//
//   WAY [PROTO FROM > TO [FLAGS | type N | code N | TYPE]] [on INTERFACE] [to INTERFACE]
//
// Words in any case, parted by blanks. FROM and TO: ADDRESS, ADDRESS:PORT, [IPV6]:PORT.
#include "base/text.h"
#include "config/icmp_types.h"
#include "event/names.h"
#include "explain/asked_packet.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <map>

namespace sallyport::explain {
namespace {

constexpr std::size_t kLongest = 1024;
constexpr const char* kExample = "as in: in tcp 10.0.0.5:40000 > 10.0.1.5:11434 syn";

using Words = std::vector<std::string>;

std::unexpected<Error> wrong(const std::string& what, const std::string& hint = kExample) {
    return fail(ErrorKind::invalid_input, what, hint);
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

// "->" and ">" are words of their own, however tightly they are written.
Words words_of(std::string_view text) {
    Words words;
    std::string word;
    const auto end = [&] {
        if (!word.empty()) words.push_back(word);
        word.clear();
    };
    for (const char c : text) {
        if (c == '>') {
            if (word.ends_with('-')) word.pop_back();
            end();
            words.emplace_back(">");
        } else if (c == ' ' || c == '\t' || c == '\n') {
            end();
        } else {
            word += c;
        }
    }
    end();
    return words;
}

std::optional<unsigned> number(std::string_view text, unsigned max) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > max)
        return std::nullopt;
    return value;
}

struct End {
    Address address;
    std::optional<std::uint16_t> port;
};

Result<End> parse_end(const std::string& word) {
    std::string address = word;
    std::string port;
    const std::size_t bracket = word.find(']');
    if (word.starts_with('[') && bracket != std::string::npos) {
        address = word.substr(1, bracket - 1);
        const std::string rest = word.substr(bracket + 1);
        if (!rest.empty() && (rest[0] != ':' || rest.size() == 1))
            return wrong(fmt::format("'{}': a port follows ']' as ':80'", escaped(word)));
        port = rest.empty() ? "" : rest.substr(1);
    } else if (std::ranges::count(word, ':') == 1) {
        address = word.substr(0, word.find(':'));
        port = word.substr(word.find(':') + 1);
        if (port.empty()) return wrong(fmt::format("'{}': no port after ':'", escaped(word)));
    }
    const std::optional<Address> parsed = parse_address(address);
    if (!parsed)
        return wrong(fmt::format("'{}' is no address", escaped(address)),
                     "write 10.0.0.5, 10.0.0.5:443, fd00::1 or [fd00::1]:443");
    End end{.address = *parsed, .port = std::nullopt};
    if (port.empty()) return end;
    const std::optional<unsigned> value = number(port, 65535);
    if (!value) return wrong(fmt::format("'{}' is no port", escaped(port)), "0 to 65535");
    end.port = static_cast<std::uint16_t>(*value);
    return end;
}

// "syn", "syn-ack", "syn+ack", "SA", "none".
std::optional<std::uint8_t> parse_flags(const std::string& word) {
    static const std::map<std::string, std::uint8_t> kFlags{
        {"fin", 1},  {"syn", 2},  {"rst", 4},  {"psh", 8},   {"push", 8},
        {"ack", 16}, {"urg", 32}, {"ece", 64}, {"cwr", 128}, {"none", 0}};
    std::uint8_t flags = 0;
    std::string rest = lower(word);
    std::ranges::replace(rest, '+', '-');
    std::ranges::replace(rest, ',', '-');
    for (std::size_t at = 0; at <= rest.size();) {
        const std::size_t end = std::min(rest.find('-', at), rest.size());
        const auto flag = kFlags.find(rest.substr(at, end - at));
        if (flag == kFlags.end()) return parse_tcp_flags(word);
        flags |= flag->second;
        at = end + 1;
    }
    return flags;
}

class Reader {
  public:
    explicit Reader(Words words) : words_(std::move(words)) {}

    [[nodiscard]] bool at_end() const { return at_ == words_.size(); }
    [[nodiscard]] std::string peek() const { return at_end() ? "" : words_[at_]; }
    std::string take() { return at_end() ? "" : words_[at_++]; }

  private:
    Words words_;
    std::size_t at_ = 0;
};

Result<Way> parse_way(const std::string& word) {
    const std::string way = lower(word);
    if (way == "in" || way == "ingress") return Way::in;
    if (way == "out" || way == "egress") return Way::out;
    if (way == "forward" || way == "fwd") return Way::forward;
    return wrong(word.empty() ? "no question"
                              : fmt::format("'{}' is no way: in, out or forward", escaped(word)));
}

Result<std::uint8_t> parse_icmp_type(const std::string& word, const Address& address) {
    const std::string name = word == "echo" ? "echo-request" : word;
    const std::optional<config::IcmpType> type = config::icmp_type(name);
    const auto value = type ? (address.is_v4() ? type->v4 : type->v6) : std::nullopt;
    if (!value)
        return wrong(fmt::format("'{}' is no ICMP type of this family", escaped(word)),
                     "a name of docs/policy.md, or: type 8 code 0");
    return *value;
}

// One word behind the addresses, and its number where it has one.
Status read_detail(Reader& words, AskedPacket& packet) {
    const std::string word = words.take();
    const std::string name = lower(word);
    if (packet.proto == 6) {
        const std::optional<std::uint8_t> flags = parse_flags(word);
        if (!flags)
            return wrong(fmt::format("'{}' is no TCP flag", escaped(word)),
                         "syn, ack, syn-ack, fin, rst, psh, urg, none, or letters: SA");
        packet.tcp_flags |= *flags;
        return {};
    }
    if (!is_icmp(packet.proto)) return wrong(fmt::format("'{}' is not understood", escaped(word)));
    if (name != "type" && name != "code") {
        packet.icmp_type = SP_TRY(parse_icmp_type(name, packet.dst));
        return {};
    }
    const std::string text = words.take();
    const std::optional<unsigned> value = number(text, 255);
    if (!value) return wrong(fmt::format("'{} {}': a number to 255", name, escaped(text)));
    (name == "type" ? packet.icmp_type : packet.icmp_code) = static_cast<std::uint8_t>(*value);
    return {};
}

bool names_interface(const std::string& word) {
    return lower(word) == "on" || lower(word) == "to";
}

Result<std::uint8_t> parse_protocol(const std::string& word, const Address& address) {
    const std::string name = lower(word);
    if (name == "icmp" || name == "icmpv6" || name == "icmp6")
        return static_cast<std::uint8_t>(address.is_v4() ? 1 : 58);
    const std::optional<std::uint8_t> proto =
        name == "udp-lite" ? std::uint8_t{136} : parse_proto(name);
    if (!proto)
        return wrong(fmt::format("'{}' is no protocol", escaped(word)),
                     "tcp, udp, udp-lite, sctp, icmp, or a number to 255");
    return *proto;
}

Result<AskedPacket> read_words(Reader& words) {
    const std::string proto = words.take();
    const End from = SP_TRY(parse_end(words.take()));
    if (words.take() != ">") return wrong("'>' stands between the two addresses");
    const End to = SP_TRY(parse_end(words.take()));
    if (from.address.is_v4() != to.address.is_v4())
        return wrong("the two addresses are of different families");
    AskedPacket packet{.src = from.address, .dst = to.address};
    packet.proto = SP_TRY(parse_protocol(proto, to.address));
    if (has_ports(packet.proto)) {
        if (!to.port) return wrong("no destination port", "ADDRESS:PORT, [IPV6]:PORT");
        packet.src_port = from.port.value_or(kSomePort);
        packet.dst_port = *to.port;
    } else if (from.port || to.port) {
        return wrong(fmt::format("{} has no ports", escaped(proto)));
    }
    if (is_icmp(packet.proto)) packet.icmp_type = packet.proto == 1 ? 8 : 128; // echo request
    const bool bare = words.at_end() || names_interface(words.peek());
    while (!words.at_end() && !names_interface(words.peek())) SP_TRY(read_detail(words, packet));
    if (packet.proto == 6 && bare) packet.tcp_flags = kSyn;
    return packet;
}

} // namespace

Result<AskedWords> parse_question(std::string_view text) {
    if (text.size() > kLongest)
        return wrong(
            fmt::format("a question of {} characters; {} are enough", text.size(), kLongest));
    Reader words(words_of(text));
    AskedWords asked;
    asked.way = SP_TRY(parse_way(words.take()));
    if (!words.at_end() && !names_interface(words.peek())) asked.packet = SP_TRY(read_words(words));
    while (!words.at_end()) {
        const std::string word = lower(words.take());
        const std::string name = words.take();
        if (word != "on" && word != "to")
            return wrong(fmt::format("'{}' is not understood", escaped(word)));
        if (word == "to" && asked.way != Way::forward)
            return wrong("'to INTERFACE' is for what is forwarded", "on INTERFACE");
        if (name.empty() || name.size() > 15)
            return wrong(fmt::format("'{} {}': no interface", word, escaped(name)), "on eth0");
        (word == "on" ? asked.on : asked.to) = name;
    }
    return asked;
}

} // namespace sallyport::explain
