// SPDX-License-Identifier: Apache-2.0
#include "daemon/package_mirrors.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <sstream>

namespace sallyport {
namespace {

constexpr std::uint8_t kTcp = 6;

// The port of "http://host[:port]/path" or "https://..."; nullopt for anything else.
std::optional<std::uint16_t> port_of(std::string_view word) {
    std::uint16_t port = 80;
    if (word.starts_with("https://"))
        port = 443;
    else if (!word.starts_with("http://"))
        return std::nullopt;
    std::string_view host = word.substr(word.find("//") + 2);
    host = host.substr(0, host.find('/'));
    const std::size_t colon = host.find(':', host.find(']') == host.npos ? 0 : host.find(']'));
    if (colon == host.npos) return port;
    const std::string_view digits = host.substr(colon + 1);
    std::uint16_t named = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), named);
    if (error != std::errc{} || end != digits.end() || named == 0) return std::nullopt;
    return named;
}

// One-line and deb822 files alike: their URIs are the words that look like one.
void ports_in(std::map<std::uint16_t, std::string>& ports, const AdviceWorld& world,
              const std::string& path) {
    std::istringstream lines(world.read_file(path).value_or(""));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        for (std::string word; words >> word;)
            if (const auto port = port_of(word)) ports.try_emplace(*port, path);
    }
}

bool covers(const Services& services, std::uint16_t port) {
    return services.any_protocol ||
           std::ranges::any_of(services.ranges, [port](const ServiceRange& range) {
               return range.proto == kTcp && range.low <= port && port <= range.high;
           });
}

} // namespace

std::vector<Diagnostic> advise_package_mirrors(const Policy& policy, const std::string& policy_file,
                                               const AdviceWorld& world) {
    std::map<std::uint16_t, std::string> ports; // and the first file that names it
    ports_in(ports, world, "/etc/apt/sources.list");
    for (const char* suffix : {".list", ".sources"})
        for (const std::string& path : world.list("/etc/apt/sources.list.d", suffix))
            ports_in(ports, world, path);
    std::vector<Diagnostic> out;
    for (const auto& [port, path] : ports) {
        const bool allowed = std::ranges::any_of(policy.rules, [port](const Rule& rule) {
            return !rule.deny && rule.direction == Direction::egress && !rule.to.parts.empty() &&
                   covers(rule.services, port);
        });
        if (allowed) continue;
        out.push_back(
            {.severity = Severity::warning,
             .file = policy_file,
             .line = 0,
             .column = 0,
             .message = fmt::format("no egress rule lets this machine reach its package "
                                    "mirrors (tcp port {}, from {})",
                                    port, path),
             .hint = fmt::format("add [[egress]] with proto = \"tcp\", ports = [{}] to the "
                                 "mirror, or to a proxy in front of it",
                                 port),
             .source = {}});
    }
    return out;
}

} // namespace sallyport
