// SPDX-License-Identifier: Apache-2.0
#include "daemon/policy_source.h"

#include "config/parse.h"
#include "daemon/advice.h"
#include "daemon/contents_hash.h"
#include "daemon/forged_sources.h"
#include "daemon/log.h"
#include "kernel/interfaces.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace sallyport {
namespace {

std::string started_by() {
    const char* sudo = std::getenv("SUDO_USER");
    if (sudo && *sudo) return sudo;
    return getuid() == 0 ? "root" : fmt::format("uid {}", getuid());
}

} // namespace

std::optional<PolicySource> read_policy(const std::string& file) {
    auto text = std::make_shared<PolicyText>();
    Result<ParsedPolicy> parsed = load_policy(file, text.get());
    if (!parsed) {
        log_error(parsed.error());
        return std::nullopt;
    }
    for (const Diagnostic& diagnostic : parsed->diagnostics) {
        const std::string line = to_text(diagnostic);
        if (diagnostic.severity == Severity::error)
            spdlog::error("{}", line);
        else
            spdlog::warn("{}", line);
    }
    if (!parsed->policy) return std::nullopt;
    for (const Diagnostic& advice : advise(*parsed->policy, file, system_advice_world()))
        spdlog::warn("{}", to_text(advice));
    if (const Result<std::vector<Interface>> interfaces = list_interfaces())
        for (const Diagnostic& advice : advise_forged_sources(*parsed->policy, file, *interfaces))
            spdlog::warn("{}", to_text(advice));
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(file, error);
    return PolicySource{.policy = *std::move(parsed->policy),
                        .file = error ? file : absolute.string(),
                        .sha256 = parsed->sha256,
                        .by = started_by(),
                        .contents = contents_hash(*text, parsed->sha256),
                        .text = std::move(text)};
}

} // namespace sallyport
