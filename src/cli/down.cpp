// SPDX-License-Identifier: Apache-2.0
// sallyport down: the wall is taken away, whole.
#include "daemon/down.h"

#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "kernel/leftovers.h"

#include <chrono>
#include <fmt/format.h>
#include <thread>

namespace sallyport {

namespace {

constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kLettingGo = std::chrono::seconds(5); // of the kernel: an RCU grace period and some

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

// What was pinned before is looked for in the kernel behind it, by its ids.
Status verified(const Paths& paths) {
    const std::vector<Pinned> before = SP_TRY(pinned_below(paths.bpffs));
    SP_TRY(ask_or_take_down(paths));
    std::string left;
    for (const Pinned& one : still_there(before, kLettingGo))
        left += fmt::format("{}{} {} ({})", left.empty() ? "" : ", ",
                            one.kind == KernelObject::link ? "link" : "program", one.id, one.pin);
    if (left.empty()) return {};
    return fail(ErrorKind::kernel, "the kernel still has " + left,
                "some process holds them: see `bpftool prog` and `bpftool link`");
}

} // namespace

Verb down_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto as_json = std::make_shared<bool>(false);
    const auto verify = std::make_shared<bool>(false);
    CLI::App* down = parent.add_subcommand("down", "detach every hook and remove every pin");
    down->add_flag("--verify", *verify,
                   "look in the kernel whether all of it is gone, and say what is not");
    down->add_flag("--json", *as_json, "print JSON");
    return {.command = down, .act = [paths, as_json, verify] {
                const Format format = *as_json ? Format::json : Format::text;
                const Status done = *verify ? verified(*paths) : ask_or_take_down(*paths);
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
