// SPDX-License-Identifier: Apache-2.0
#include "doctor/verdicts.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport::doctor {

const char* to_string(Level level) {
    switch (level) {
    case Level::ok:
        return "ok";
    case Level::warn:
        return "warn";
    case Level::fail:
        return "fail";
    }
    return "unknown";
}

std::vector<Finding> examine(const Facts& facts) {
    std::vector<Finding> findings;
    examine_kernel(facts, findings);
    examine_nics(facts, findings);
    examine_neighbours(facts, findings);
    return findings;
}

std::size_t count(const std::vector<Finding>& findings, Level level) {
    return static_cast<std::size_t>(std::ranges::count(findings, level, &Finding::level));
}

nlohmann::ordered_json to_json(const std::vector<Finding>& findings) {
    using Json = nlohmann::ordered_json;
    Json list = Json::array();
    const auto or_null = [](const std::string& text) {
        return text.empty() ? Json(nullptr) : Json(text);
    };
    for (const Finding& one : findings)
        list.push_back({{"id", one.id},
                        {"about", or_null(one.about)},
                        {"level", to_string(one.level)},
                        {"text", one.text},
                        {"next", or_null(one.next)}});
    return {{"fails", count(findings, Level::fail)},
            {"warns", count(findings, Level::warn)},
            {"findings", std::move(list)}};
}

std::string render(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& one : findings) {
        const std::string about = one.about.empty() ? "" : " " + escaped(one.about);
        text += fmt::format("{:<4}  {}{}: {}\n", to_string(one.level), one.id, about,
                            escaped(one.text));
        if (!one.next.empty()) text += fmt::format("      next: {}\n", escaped(one.next));
    }
    return text + fmt::format("\n{} fail, {} warn, {} ok\n", count(findings, Level::fail),
                              count(findings, Level::warn), count(findings, Level::ok));
}

} // namespace sallyport::doctor
