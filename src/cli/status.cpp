// SPDX-License-Identifier: Apache-2.0
// sallyport status: asked of the daemon, or read from the pins when there is none.
#include "cli/client.h"
#include "cli/output.h"
#include "cli/status_source.h"
#include "cli/status_text.h"
#include "cli/verbs.h"
#include "daemon/pins_status.h"

#include <unistd.h>

namespace sallyport {

Result<nlohmann::ordered_json> find_status(const Paths& paths) {
    auto answer = ask_daemon(paths.control_socket(), {{"cmd", "status"}});
    if (answer) {
        answer->erase("ok");
        return answer;
    }
    if (answer.error().kind != ErrorKind::not_found) return answer;
    const StatusView view =
        SP_TRY(status_from_pins(paths).context("no daemon answers; reading the pins"));
    return to_json(view);
}

namespace {

ExitCode show_status(const Paths& paths, Format format) {
    const auto found = find_status(paths);
    if (!found) return report_failure(found.error(), format);
    const auto view = status_from_json(*found);
    if (!view) return report_failure(view.error(), format);
    if (format == Format::json)
        print_json(*found);
    else
        print_data(render_status(*view, colour_for(STDOUT_FILENO)));
    return view->state == "protected" || view->state == "observing" ? ExitCode::done : ExitCode::no;
}

} // namespace

Verb status_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto as_json = std::make_shared<bool>(false);
    CLI::App* status =
        parent.add_subcommand("status", "is this host protected, by what, and what was dropped");
    status->add_flag("--json", *as_json, "print JSON");
    status->footer("Exits 1 when the host is NOT protected.");
    return {.command = status, .act = [paths, as_json] {
                return show_status(*paths, *as_json ? Format::json : Format::text);
            }};
}

} // namespace sallyport
