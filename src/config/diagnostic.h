// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace sallyport {

enum class Severity : unsigned char { error, warning };

// One finding in a user's file. Lines and columns count from 1, columns in bytes.
struct Diagnostic {
    Severity severity = Severity::error;
    std::string file;
    unsigned line = 0;   // 0: the file as a whole
    unsigned column = 0;
    std::string message;
    std::string hint;    // "did you mean \"ollama\"?"; empty: none
    std::string source;  // the offending line, without its newline
};

// FILE:LINE:COLUMN: error: MESSAGE, the line, a caret, the hint. Control characters
// of the user's file are escaped, tabs kept so that the caret stands right.
[[nodiscard]] std::string to_text(const Diagnostic& diagnostic);

} // namespace sallyport
