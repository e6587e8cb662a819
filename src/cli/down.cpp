// SPDX-License-Identifier: Apache-2.0
// sallyport down: the wall is taken away, whole.
#include "daemon/down.h"

#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

#include <chrono>
#include <thread>

namespace sallyport {

namespace {

constexpr auto kPatience = std::chrono::seconds(10);

// A daemon takes its own wall down and ends; without one the pins are enough.
Status ask_or_take_down(const Paths& paths) {
    const auto asked = ask_daemon(paths.control_socket(), {{"cmd", "down"}});
    if (!asked && asked.error().kind != ErrorKind::not_found)
        return std::unexpected<Error>(asked.error());
    const auto until = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        Status done = take_down(paths);
        // It still holds the pins while it ends.
        if (done || !asked || done.error().kind != ErrorKind::conflict ||
            std::chrono::steady_clock::now() > until)
            return done;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

} // namespace

Verb down_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto as_json = std::make_shared<bool>(false);
    CLI::App* down = parent.add_subcommand("down", "detach every hook and remove every pin");
    down->add_flag("--json", *as_json, "print JSON");
    return {.command = down, .act = [paths, as_json] {
                const Format format = *as_json ? Format::json : Format::text;
                const Status done = ask_or_take_down(*paths);
                if (!done) return report_failure(done.error(), format);
                if (format == Format::json)
                    print_json({{"ok", true}});
                else
                    say("sallyport: no hook is attached and no pin is left; this host is NOT "
                        "protected");
                return ExitCode::done;
            }};
}

} // namespace sallyport
