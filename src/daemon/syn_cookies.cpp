// SPDX-License-Identifier: Apache-2.0
#include "daemon/syn_cookies.h"

#include "daemon/kernel_settings.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sallyport {
namespace {

constexpr const char* kCookies = "/proc/sys/net/ipv4/tcp_syncookies";
constexpr const char* kStamps = "/proc/sys/net/ipv4/tcp_timestamps";

std::string setting(const AdviceWorld& world, const char* path) {
    const std::optional<std::string> text = world.read_file(path);
    return text ? text->substr(0, text->find_last_not_of(" \t\n") + 1) : "not to be read";
}

Diagnostic warning(const std::string& file, const Rule& rule, std::string message,
                   std::string hint) {
    return {.severity = Severity::warning,
            .file = file,
            .line = rule.line,
            .column = 0,
            .message = std::move(message),
            .hint = std::move(hint),
            .source = {}};
}

} // namespace

std::vector<Diagnostic> advise_syn_cookies(const Policy& policy, const std::string& policy_file,
                                           const AdviceWorld& world) {
    std::vector<Diagnostic> out;
    if (policy.host.sysctls == Sysctls::set) return out;
    const auto first = std::ranges::find_if(policy.rules, may_answer_by_cookies);
    if (first == policy.rules.end()) return out;
    const std::string cookies = setting(world, kCookies), stamps = setting(world, kStamps);
    if (cookies != "2")
        for (const Rule& rule : policy.rules) {
            if (!may_answer_by_cookies(rule)) continue;
            out.push_back(warning(
                policy_file, rule,
                fmt::format("rule \"{}\" answers a flood with SYN cookies only where "
                            "net.ipv4.tcp_syncookies is 2, and it is {}: until then what is more "
                            "than all may open together is dropped, honest or not",
                            rule.name, cookies),
                "sysctls = \"set\" in [host], sysctl -w net.ipv4.tcp_syncookies=2, or "
                "syn-cookies = \"off\" in the rule"));
        }
    // The same of every rule: said once.
    if (stamps != "2")
        out.push_back(
            warning(policy_file, *first,
                    fmt::format("a SYN cookie keeps window scale, SACK and time stamps only where "
                                "net.ipv4.tcp_timestamps is 2, and it is {}: a connection that is "
                                "opened in a flood has none of them",
                                stamps),
                    "sysctls = \"set\" in [host], or sysctl -w net.ipv4.tcp_timestamps=2"));
    return out;
}

} // namespace sallyport
