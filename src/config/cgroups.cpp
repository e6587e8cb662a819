// SPDX-License-Identifier: Apache-2.0
// Paths of cgroups and names of units, as a policy may select by them.
#include "config/cgroups.h"

#include "base/text.h"
#include "config/fields.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace sallyport::config {

namespace {

// What is wrong with one name of a path; empty: nothing.
std::string objection(std::string_view name) {
    if (name.empty()) return "has an empty part";
    if (name == "." || name == "..") return "must not hold \".\" or \"..\"";
    if (name.size() > kCgroupNameMax)
        return "has a name longer than " + std::to_string(kCgroupNameMax) + " bytes";
    return {};
}

std::string path_objection(std::string_view path) {
    if (!path.starts_with('/')) return "must begin with \"/\"";
    if (!is_printable(path)) return "must not hold control characters";
    if (path == "/") return {};
    std::size_t depth = 0;
    for (std::size_t at = 1; at <= path.size(); ++depth) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        std::string wrong = objection(path.substr(at, end - at));
        if (!wrong.empty()) return wrong;
        at = end + 1;
    }
    if (depth > kCgroupDepthMax)
        return "is more than " + std::to_string(kCgroupDepthMax) + " names deep";
    return {};
}

} // namespace

bool is_good_cgroup(const Value& path, Findings& findings) {
    const std::string wrong = path_objection(path.text);
    if (wrong.empty()) return true;
    findings.error(path.place, "a cgroup path " + wrong,
                   "a path below the cgroup v2 mount: \"/system.slice/rag.service\"");
    return false;
}

bool is_good_unit(const Value& unit, Findings& findings) {
    constexpr std::array<std::string_view, 6> kTypes = {".service", ".scope", ".slice",
                                                        ".socket",  ".mount", ".swap"};
    const std::string_view name = unit.text;
    const bool typed = std::any_of(kTypes.begin(), kTypes.end(), [&](std::string_view type) {
        return name.ends_with(type) && name.size() > type.size();
    });
    std::string wrong = objection(name);
    if (!typed)
        findings.error(unit.place, quoted(name) + " is not the name of a unit",
                       name.find('.') == std::string_view::npos && !name.empty()
                           ? "did you mean " + quoted(std::string(name) + ".service") + "?"
                           : "units end in .service, .scope, .slice, .socket, .mount or .swap");
    else if (!wrong.empty())
        findings.error(unit.place, "a unit " + wrong);
    else if (name.find('/') != std::string_view::npos || !is_printable(name))
        findings.error(unit.place, quoted(name) + " is not the name of a unit",
                       "a path is given by \"cgroup\"");
    else
        return true;
    return false;
}

} // namespace sallyport::config
