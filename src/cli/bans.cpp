// SPDX-License-Identifier: Apache-2.0
// sallyport bans: who is banned, page by page, so that a million fits.
#include "base/duration.h"
#include "base/ip.h"
#include "base/text.h"
#include "cli/ban_request.h"
#include "cli/verbs.h"

#include <fmt/format.h>
#include <optional>

namespace sallyport {

namespace {

using nlohmann::ordered_json;

std::string line_of(const ordered_json& ban) {
    const auto& left = ban.at("seconds_left");
    const std::string span =
        left.is_number() ? to_string(std::chrono::seconds(left.get<std::int64_t>())) + " left"
                         : "until lifted";
    std::string line = fmt::format("{:<24} {:<16} {}", ban.value("network", ""), span,
                                   escaped(ban.value("origin", "")));
    if (ban.value("masked", false)) line += "  (masked: [bans] never)";
    if (const std::string reason = ban.value("reason", ""); !reason.empty())
        line += "  " + escaped(reason);
    return line + "\n";
}

std::string text_of(const ordered_json& all) {
    std::string text;
    for (const ordered_json& ban : all.at("bans")) text += line_of(ban);
    for (const ordered_json& list : all.at("lists"))
        text +=
            fmt::format("{} networks of zone {}, in {}\n", list.value("networks", std::uint64_t{0}),
                        escaped(list.value("zone", "")), escaped(list.value("file", "")));
    return text.empty() ? "nobody is banned\n" : text;
}

Result<ordered_json> ask_for_all(const Paths& paths) {
    nlohmann::json request{{"cmd", "bans"}};
    ordered_json all = SP_TRY(ask_about_bans(paths, request));
    std::optional<Prefix> last;
    while (all.contains("next")) {
        // Pages are in order: one that does not lead on would be asked for without end.
        const Result<Prefix> next = parse_prefix(all["next"].get<std::string>());
        if (!next || (last && *next <= *last))
            return fail(ErrorKind::internal, "the daemon's list of bans has no end",
                        "is it of the same version as this command? restart it");
        last = *next;
        request["after"] = all["next"];
        all.erase("next");
        ordered_json page = SP_TRY(ask_about_bans(paths, request));
        for (ordered_json& ban : page.at("bans")) all["bans"].push_back(std::move(ban));
        if (page.contains("next")) all["next"] = page["next"];
    }
    return all;
}

ExitCode show(const Paths& paths, Format format) {
    const auto all = ask_for_all(paths);
    if (!all) return report_ban_failure(all.error(), format);
    if (format == Format::json)
        print_json(*all);
    else
        print_data(text_of(*all));
    return ExitCode::done;
}

} // namespace

Verb bans_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto as_json = std::make_shared<bool>(false);
    CLI::App* bans = parent.add_subcommand("bans", "who is banned, for how long, by whom and why");
    bans->add_flag("--json", *as_json, "print JSON");
    return {.command = bans, .act = [paths, as_json] {
                return show(*paths, *as_json ? Format::json : Format::text);
            }};
}

} // namespace sallyport
