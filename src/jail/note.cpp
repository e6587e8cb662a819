// SPDX-License-Identifier: Apache-2.0
#include "jail/note.h"

#include "base/text.h"

#include <algorithm>

namespace sallyport::jail {

std::string to_string(const Origin& origin) {
    if (origin.file.empty()) return {};
    return origin.line == 0 ? origin.file : origin.file + ":" + std::to_string(origin.line);
}

std::string to_text(const Note& note) {
    std::string text = to_string(note.origin);
    if (!text.empty()) text += ": ";
    if (!note.jail.empty()) text += "jail \"" + note.jail + "\": ";
    if (!note.key.empty()) text += note.key + ": ";
    return escaped(text + note.text);
}

Notes merged(const Notes& notes) {
    constexpr std::size_t kNamed = 3;
    Notes made;
    std::vector<std::size_t> counts;
    for (const Note& note : notes) {
        const auto same = std::ranges::find_if(made, [&](const Note& one) {
            return one.kind == note.kind && one.key == note.key && one.text == note.text &&
                   one.origin.file == note.origin.file && one.origin.line == note.origin.line &&
                   one.jail.empty() == note.jail.empty();
        });
        if (same == made.end()) {
            made.push_back(note);
            counts.push_back(1);
            continue;
        }
        std::size_t& count = counts[static_cast<std::size_t>(same - made.begin())];
        if (++count <= kNamed && !note.jail.empty()) same->jail += "\", \"" + note.jail;
    }
    for (std::size_t i = 0; i < made.size(); ++i)
        if (counts[i] > kNamed && !made[i].jail.empty())
            made[i].text =
                "(and " + std::to_string(counts[i] - kNamed) + " other jails) " + made[i].text;
    return made;
}

} // namespace sallyport::jail
