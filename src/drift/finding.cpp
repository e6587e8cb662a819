// SPDX-License-Identifier: Apache-2.0
#include "drift/finding.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport::drift {
namespace {

std::string lines_of(const Finding& one, const char* level) {
    std::string text =
        fmt::format("{:<6} {:<8}{}{}: {}\n", level, one.id, one.about.empty() ? "" : " ",
                    escaped(one.about), escaped(one.text));
    for (const std::string& detail : one.details) text += "         " + escaped(detail) + "\n";
    if (one.more != 0) text += fmt::format("         and {} more\n", one.more);
    if (!one.next.empty()) text += "       next: " + escaped(one.next) + "\n";
    return text;
}

} // namespace

bool has_drift(const Report& report) {
    return std::ranges::any_of(report.findings,
                               [](const Finding& one) { return one.level == Level::drift; });
}

std::string render(const Report& report) {
    std::string text;
    for (const Finding& one : report.findings)
        if (one.level == Level::drift) text += lines_of(one, "drift");
    return text;
}

std::string render_rest(const Report& report) {
    std::string text;
    for (const Finding& one : report.findings)
        if (one.level == Level::note) text += lines_of(one, "note");
    const Compared& c = report.compared;
    return text + fmt::format("compared: generation {}, {} maps, {} entries, {} hooks, {} pins\n",
                              report.generation, c.maps, c.entries, c.hooks, c.pins);
}

nlohmann::ordered_json to_json(const Report& report) {
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    for (const Finding& one : report.findings)
        findings.push_back({{"id", one.id},
                            {"about", one.about},
                            {"level", one.level == Level::drift ? "drift" : "note"},
                            {"text", one.text},
                            {"details", one.details},
                            {"more", one.more},
                            {"next", one.next}});
    const Compared& c = report.compared;
    return {{"drift", has_drift(report)},
            {"generation", report.generation},
            {"compared",
             {{"maps", c.maps}, {"entries", c.entries}, {"hooks", c.hooks}, {"pins", c.pins}}},
            {"findings", std::move(findings)}};
}

} // namespace sallyport::drift
