// SPDX-License-Identifier: Apache-2.0
// Names and globs of network interfaces.
#include "config/interfaces.h"

#include "base/text.h"
#include "config/fields.h"

#include <algorithm>
#include <optional>

namespace sallyport::config {

namespace {

constexpr std::size_t kNameMax = 15; // IFNAMSIZ without its zero

// How many characters a name must have at least to match; nothing when a bracket
// is not closed or a backslash quotes nothing.
std::optional<std::size_t> least_length(std::string_view glob) {
    std::size_t length = 0;
    for (std::size_t at = 0; at < glob.size(); ++at) {
        if (glob[at] == '*') continue;
        ++length;
        if (glob[at] == '\\') {
            if (++at == glob.size()) return std::nullopt;
            continue;
        }
        if (glob[at] != '[') continue;
        std::size_t first = at + 1; // "]" as the first member is one, not the end
        if (first < glob.size() && (glob[first] == '!' || glob[first] == '^')) ++first;
        const std::size_t close = glob.find(']', first + 1);
        if (close == std::string_view::npos) return std::nullopt;
        at = close;
    }
    return length;
}

// What is wrong with it; empty: nothing.
std::string objection(std::string_view glob) {
    if (glob.empty()) return "an interface name must not be empty";
    // A colon is in no name, but in brackets: "[[:digit:]]".
    const bool colon = glob.find(':') < glob.find('[');
    if (glob == "." || glob == ".." || glob.find_first_of("/ ") != std::string_view::npos ||
        colon || !is_printable(glob))
        return quoted(glob) + " cannot be the name of an interface";
    const std::optional<std::size_t> length = least_length(glob);
    if (!length) return quoted(glob) + " is not a glob: a bracket or backslash is left open";
    if (*length > kNameMax)
        return quoted(glob) + " is longer than the " + std::to_string(kNameMax) +
               " bytes an interface name can have";
    if (glob == "lo") return "\"lo\" is loopback, which is never judged";
    return {};
}

} // namespace

std::vector<std::string> interface_globs(const Value& value, std::string_view key,
                                         Findings& findings) {
    std::vector<std::string> globs;
    if (value.kind == ValueKind::list && value.items.empty())
        findings.error(value.place, quoted(key) + " must not be empty");
    for (const Value* item : strings_of(value, key, findings)) {
        const std::string wrong = objection(item->text);
        if (!wrong.empty())
            findings.error(item->place, wrong);
        else if (std::find(globs.begin(), globs.end(), item->text) != globs.end())
            findings.error(item->place, quoted(item->text) + " is there twice");
        else
            globs.push_back(item->text);
    }
    return globs;
}

} // namespace sallyport::config
