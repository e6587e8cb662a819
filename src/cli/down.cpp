// SPDX-License-Identifier: Apache-2.0
// sallyport down: the wall is taken away, whole.
#include "daemon/down.h"

#include "cli/output.h"
#include "cli/verbs.h"

namespace sallyport {

Verb down_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto as_json = std::make_shared<bool>(false);
    CLI::App* down = parent.add_subcommand("down", "detach every hook and remove every pin");
    down->add_flag("--json", *as_json, "print JSON");
    return {.command = down, .act = [paths, as_json] {
                const Format format = *as_json ? Format::json : Format::text;
                const Status done = take_down(*paths);
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
