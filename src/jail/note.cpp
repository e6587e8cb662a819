// SPDX-License-Identifier: Apache-2.0
#include "jail/note.h"

#include "base/text.h"

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

} // namespace sallyport::jail
