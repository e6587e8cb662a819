// SPDX-License-Identifier: Apache-2.0
// Which servers the machine is configured to ask, and whether the policy lets it.
#include "daemon/advice.h"

#include "base/ip.h"
#include "base/text.h"
#include "daemon/auto_bans_advice.h"
#include "daemon/package_mirrors.h"
#include "daemon/syn_cookies.h"
#include "policy/evaluate.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace sallyport {
namespace {

constexpr std::uint8_t kUdp = 17;
constexpr std::uint16_t kDns = 53;
constexpr std::uint16_t kNtp = 123;

struct Server {
    Address address;
    std::string source; // the file that names it
    auto operator<=>(const Server&) const = default;
};
using Servers = std::set<Server>;

// Words of each line, comments and blank lines left out.
std::vector<std::vector<std::string>> lines_of_words(const std::string& text) {
    std::vector<std::vector<std::string>> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        std::istringstream words(line);
        std::vector<std::string> list{std::istream_iterator<std::string>(words), {}};
        if (list.empty() || list[0][0] == '#' || list[0][0] == ';') continue;
        lines.push_back(std::move(list));
    }
    return lines;
}

// "fe80::1%eth0" and "10.0.0.1:53" are addresses too, to those who read these files.
std::optional<Address> literal(std::string text) {
    text = text.substr(0, text.find('%'));
    text = text.substr(0, text.find('#')); // resolved's server name for DNS over TLS
    if (text.starts_with('['))
        text = text.substr(1, text.find(']') - 1);
    else if (std::ranges::count(text, ':') == 1)
        text = text.substr(0, text.find(':'));
    return parse_address(text);
}

void add(Servers& servers, const std::string& word, const std::string& source) {
    if (const auto address = literal(word)) servers.insert({.address = *address, .source = source});
}

bool is_loopback(const Address& address) {
    if (address.is_v4()) return address.v4_value() >> 24 == 127;
    Address one;
    one.bytes[15] = 1;
    return address == one;
}

Servers resolv_conf(const AdviceWorld& world, const std::string& path) {
    Servers servers;
    for (const auto& words : lines_of_words(world.read_file(path).value_or("")))
        if (words.size() > 1 && words[0] == "nameserver") add(servers, words[1], path);
    return servers;
}

// A local resolver asks others in our place: then those count.
Servers resolvers(const AdviceWorld& world) {
    Servers servers = resolv_conf(world, "/etc/resolv.conf");
    const bool asks_local =
        std::ranges::any_of(servers, [](const Server& s) { return is_loopback(s.address); });
    if (asks_local) servers.merge(resolv_conf(world, "/run/systemd/resolve/resolv.conf"));
    return servers;
}

// NTP= and FallbackNTP= of an ini file; an empty value forgets what came before.
void timesyncd_file(Servers& servers, const AdviceWorld& world, const std::string& path) {
    std::istringstream stream(world.read_file(path).value_or(""));
    for (std::string line; std::getline(stream, line);) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos) continue;
        const std::string key = line.substr(0, equals);
        if (key != "NTP" && key != "FallbackNTP") continue;
        std::istringstream words(line.substr(equals + 1));
        for (std::string word; words >> word;) add(servers, word, path);
    }
}

void chrony_file(Servers& servers, const AdviceWorld& world, const std::string& path) {
    for (const auto& words : lines_of_words(world.read_file(path).value_or("")))
        if (words.size() > 1 && (words[0] == "server" || words[0] == "pool" || words[0] == "peer"))
            add(servers, words[1], path);
}

Servers time_servers(const AdviceWorld& world) {
    Servers servers;
    timesyncd_file(servers, world, "/etc/systemd/timesyncd.conf");
    for (const std::string& path : world.list("/etc/systemd/timesyncd.conf.d", ".conf"))
        timesyncd_file(servers, world, path);
    chrony_file(servers, world, "/etc/chrony/chrony.conf");
    chrony_file(servers, world, "/etc/chrony.conf");
    for (const std::string& path : world.list("/etc/chrony/conf.d", ".conf"))
        chrony_file(servers, world, path);
    for (const std::string& path : world.list("/etc/chrony/sources.d", ".sources"))
        chrony_file(servers, world, path);
    return servers;
}

// May any process at all open it? A rule for some unit is enough: it may be
// the very one that asks.
bool is_allowed_to_someone(const Policy& policy, const Address& to, std::uint16_t port) {
    Policy for_anyone = policy;
    for (Rule& rule : for_anyone.rules)
        if (!rule.deny) rule.identity = {};
    std::erase_if(for_anyone.rules,
                  [](const Rule& rule) { return rule.deny && !rule.identity.is_none(); });
    std::vector<std::string> interfaces{""};
    for (const Rule& rule : policy.rules) { // a glob is a name that it matches
        interfaces.insert(interfaces.end(), rule.interfaces.begin(), rule.interfaces.end());
        for (const PeerPart& part : rule.to.parts)
            interfaces.insert(interfaces.end(), part.interfaces.begin(), part.interfaces.end());
    }
    return std::ranges::any_of(interfaces, [&](const std::string& interface) {
        return evaluate(for_anyone, {.direction = Direction::egress,
                                     .interface = interface,
                                     .source = {},
                                     .destination = to,
                                     .proto = kUdp,
                                     .port = port,
                                     .cgroup = {},
                                     .user = std::nullopt})
                   .answer == Answer::allowed;
    });
}

void warn(std::vector<Diagnostic>& out, const Policy& policy, const std::string& file,
          const Servers& servers, std::string_view what, std::uint16_t port) {
    for (const Server& server : servers) {
        if (is_loopback(server.address) || is_allowed_to_someone(policy, server.address, port))
            continue;
        out.push_back(
            {.severity = Severity::warning,
             .file = file,
             .line = 0,
             .column = 0,
             .message = fmt::format("no egress rule lets this machine reach its {} {} "
                                    "(udp port {}, from {})",
                                    what, to_string(server.address), port, server.source),
             .hint = fmt::format("add [[egress]] with to = [\"{}\"], proto = \"udp\", ports = [{}]",
                                 to_string(server.address), port),
             .source = {}});
    }
}

} // namespace

AdviceWorld system_advice_world() {
    return {.read_file = [](const std::string& path) -> std::optional<std::string> {
                std::ifstream file(path, std::ios::binary);
                if (!file) return std::nullopt;
                std::ostringstream text; // its operator throws nothing, a directory may be there
                text << file.rdbuf();
                return text.str();
            },
            .list =
                [](const std::string& directory, const std::string& suffix) {
                    std::vector<std::string> paths;
                    std::error_code error;
                    std::filesystem::directory_iterator at(directory, error);
                    for (; !error && at != std::filesystem::directory_iterator();
                         at.increment(error))
                        if (at->path().string().ends_with(suffix))
                            paths.push_back(at->path().string());
                    std::ranges::sort(paths);
                    return paths;
                }};
}

std::vector<Address> configured_resolvers(const AdviceWorld& world) {
    std::vector<Address> addresses;
    for (const Server& server : resolvers(world)) addresses.push_back(server.address);
    return addresses;
}

std::vector<Diagnostic> advise(const Policy& policy, const std::string& policy_file,
                               const AdviceWorld& world) {
    std::vector<Diagnostic> out;
    warn(out, policy, policy_file, resolvers(world), "resolver", kDns);
    warn(out, policy, policy_file, time_servers(world), "time server", kNtp);
    const std::vector<Diagnostic> mirrors = advise_package_mirrors(policy, policy_file, world);
    out.insert(out.end(), mirrors.begin(), mirrors.end());
    const std::vector<Diagnostic> cookies = advise_syn_cookies(policy, policy_file, world);
    out.insert(out.end(), cookies.begin(), cookies.end());
    const std::vector<Diagnostic> bans = advise_auto_bans(policy, policy_file);
    out.insert(out.end(), bans.begin(), bans.end());
    return out;
}

} // namespace sallyport
