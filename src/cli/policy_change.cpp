// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_change.h"

#include "base/duration.h"
#include "base/text.h"
#include "cli/client.h"
#include "daemon/policy_commands.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace sallyport {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kLinesSaid = 20;

void say_rest(std::size_t count) {
    if (count > kLinesSaid) say(fmt::format("  and {} more", count - kLinesSaid));
}

void say_lines(const ordered_json& answer, const char* key, const std::string& before) {
    const auto lines = answer.find(key);
    if (lines == answer.end() || !lines->is_array()) return;
    for (std::size_t i = 0; i < std::min(lines->size(), kLinesSaid); ++i)
        if (const ordered_json& line = (*lines)[i]; line.is_string())
            say(before + escaped(line.get<std::string>()));
}

std::string headline(const ordered_json& answer) {
    const std::string mode = answer.value("mode", "") == "observe" ? "observing" : "enforcing";
    std::string text = fmt::format("generation {}, {}", answer.value("generation", 0u), mode);
    if (const auto restores = answer.find("restores"); restores != answer.end())
        text += fmt::format(", policy {} again", restores->get<std::uint32_t>());
    return text;
}

// What stands, and would end if the policy stayed.
void say_would_cut(const ordered_json& answer) {
    const auto found = answer.find("would_cut");
    if (found == answer.end() || !found->is_object()) return;
    say_lines(*found, "connections", "  would be cut: ");
    say_rest(found->value("count", std::size_t{0}));
}

void say_changed(const ordered_json& answer) {
    say_lines(answer, "warnings", "sallyport: warning: ");
    say_lines(answer, "cut", "  cut: ");
    if (answer.contains("cut")) say_rest(answer["cut"].size());
    say_would_cut(answer);
    const auto trial = answer.find("trial");
    if (trial == answer.end() || !trial->is_object()) {
        say("sallyport: " + headline(answer));
        return;
    }
    const std::chrono::seconds left(trial->value("seconds_left", std::int64_t{0}));
    say(fmt::format("sallyport: {}, on trial: it is taken back in {}\n"
                    "  next: from a new session, `sallyport confirm` keeps it",
                    headline(answer), to_string(left)));
}

} // namespace

Result<ordered_json> ask_about_policy(const Paths& paths, const nlohmann::json& request) {
    auto answer = ask_daemon(paths.control_socket(), request);
    if (answer) {
        answer->erase("ok");
        return answer;
    }
    if (answer.error().kind != ErrorKind::not_found || request.at("cmd") == "apply") return answer;
    return policy_command_by_pins(paths, request);
}

ExitCode change_policy(const Paths& paths, const nlohmann::json& request, Format format) {
    const auto answer = ask_about_policy(paths, request);
    if (!answer) {
        const ExitCode code = report_failure(answer.error(), format);
        return answer.error().kind == ErrorKind::not_found && request.at("cmd") == "apply"
                   ? ExitCode::no_daemon
                   : code;
    }
    const bool changed = answer->value("changed", false);
    if (format == Format::json) print_json(*answer);
    if (changed && format == Format::text) say_changed(*answer);
    if (!changed && format == Format::text) {
        say("sallyport: nothing was changed: " + escaped(answer->value("why", "")));
        say_lines(*answer, "shut", "  shut: ");
        say_would_cut(*answer);
        if (const std::string next = answer->value("next", ""); !next.empty())
            say("  next: " + next);
    }
    return changed ? ExitCode::done : ExitCode::no;
}

} // namespace sallyport
