// SPDX-License-Identifier: Apache-2.0
#include "daemon/syn_cookies.h"

#include "daemon/kernel_settings.h"

#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr const char* kSysctl = "/proc/sys/net/ipv4/tcp_syncookies";

} // namespace

std::vector<Diagnostic> advise_syn_cookies(const Policy& policy, const std::string& policy_file,
                                           const AdviceWorld& world) {
    const std::optional<std::string> text = world.read_file(kSysctl);
    const std::string value =
        text ? text->substr(0, text->find_last_not_of(" \t\n") + 1) : "not to be read";
    std::vector<Diagnostic> out;
    if (value == "2" || policy.host.sysctls == Sysctls::set) return out;
    for (const Rule& rule : policy.rules) {
        if (!may_answer_by_cookies(rule)) continue;
        out.push_back(
            {.severity = Severity::warning,
             .file = policy_file,
             .line = rule.line,
             .column = 0,
             .message =
                 fmt::format("rule \"{}\" answers a flood with SYN cookies only where "
                             "net.ipv4.tcp_syncookies is 2, and it is {}: until then what is more "
                             "than all may open together is dropped, honest or not",
                             rule.name, value),
             .hint = "sysctls = \"set\" in [host], sysctl -w net.ipv4.tcp_syncookies=2, or "
                     "syn-cookies = \"off\" in the rule",
             .source = {}});
    }
    return out;
}

} // namespace sallyport
