// SPDX-License-Identifier: Apache-2.0
// sallyport guard NAME: for a udev rule, so that an interface that appears is guarded
// before it is brought up, also when no daemon runs.
#include "daemon/guard.h"

#include "base/text.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <thread>

namespace sallyport {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(2000);

// The daemon when there is one. One that starts or ends holds the pins without
// answering yet, or any more.
Result<nlohmann::ordered_json> guard_interface(const Paths& paths, const std::string& name) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        auto answer = ask_daemon(paths.control_socket(), {{"cmd", "guard"}, {"name", name}});
        if (answer) answer->erase("ok");
        if (answer || answer.error().kind != ErrorKind::not_found) return answer;
        const Result<Wall::Guarded> guarded = guard_by_pins(paths, name);
        if (guarded) return to_json(*guarded);
        if (guarded.error().kind != ErrorKind::conflict || std::chrono::steady_clock::now() > until)
            return std::unexpected<Error>(guarded.error());
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

ExitCode guard(const Paths& paths, const std::string& name, Format format) {
    auto answer = guard_interface(paths, name);
    if (!answer) return report_failure(answer.error(), format);
    if (format == Format::json) {
        print_json(*answer);
        return ExitCode::done;
    }
    const auto text = [&](const char* key) {
        const auto at = answer->find(key);
        return at != answer->end() && at->is_string() ? at->get<std::string>() : std::string();
    };
    const bool guarded = answer->value("guarded", false);
    const std::string why = text("why");
    const std::string line =
        fmt::format("sallyport: {} is {}{}{}", name,
                    guarded ? "guarded (" + text("mode") + " XDP)" : "not guarded",
                    why.empty() ? "" : ": ", why);
    // udev makes a warning of each line on the standard error.
    std::puts(escaped(line).c_str());
    return ExitCode::done;
}

} // namespace

Verb guard_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto as_json = std::make_shared<bool>(false);
    const auto name = std::make_shared<std::string>();
    CLI::App* command = parent.add_subcommand(
        "guard", "hook one interface at once, when the policy in force names it (for udev)");
    command->add_option("NAME", *name, "an interface")
        ->required()
        ->check([](const std::string& given) {
            const bool good = !given.empty() && given.size() < 16 &&
                              given.find_first_of("/: \t\n") == std::string::npos;
            return good ? std::string() : "not the name of an interface";
        });
    command->add_flag("--json", *as_json, "print JSON");
    command->footer(
        "Exits 0 when it is guarded, when the policy does not name it, and when no wall\n"
        "stands; 3 when it should be guarded and cannot be.");
    return {.command = command, .act = [paths, as_json, name] {
                return guard(*paths, *name, *as_json ? Format::json : Format::text);
            }};
}

} // namespace sallyport
