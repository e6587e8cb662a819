// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

enum class Severity : unsigned char { error, warning };

// One finding in a user's file. Lines and columns count from 1, columns in bytes.
struct Diagnostic {
    Severity severity = Severity::error;
    std::string file;
    unsigned line = 0; // 0: the file as a whole
    unsigned column = 0;
    std::string message;
    std::string hint;   // "did you mean \"ollama\"?"; empty: none
    std::string source; // the offending line, without its newline; of a long one the part around
    unsigned caret = 0; // where in source, from 1; 0: at column
};

// Fills in source and caret from the whole line; a long one is clipped, so that
// a thousand findings on one line do not hold it a thousand times.
[[nodiscard]] Diagnostic with_source(Diagnostic diagnostic, std::string_view line);

// FILE:LINE:COLUMN: error: MESSAGE, the line, a caret, the hint. Control characters
// of the user's file are escaped, tabs kept so that the caret stands right.
[[nodiscard]] std::string to_text(const Diagnostic& diagnostic);

} // namespace sallyport
