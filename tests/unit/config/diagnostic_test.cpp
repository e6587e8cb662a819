// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostic.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {
Diagnostic at(unsigned column, std::string line) {
    return with_source(Diagnostic{.severity = Severity::error,
                                  .file = "p.toml",
                                  .line = 4,
                                  .column = column,
                                  .message = "wrong",
                                  .hint = {},
                                  .source = {},
                                  .caret = 0},
                       line);
}
} // namespace

TEST_CASE("a finding is shown with its line and a caret") {
    CHECK(to_text(at(8, "from = \"adnim\"")) == "p.toml:4:8: error: wrong\n"
                                                "    from = \"adnim\"\n"
                                                "           ^\n");
}

TEST_CASE("the hint and the severity are shown") {
    Diagnostic finding = at(1, "x");
    finding.severity = Severity::warning;
    finding.hint = "did you mean \"y\"?";
    CHECK(to_text(finding) ==
          "p.toml:4:1: warning: wrong\n    x\n    ^\n    hint: did you mean \"y\"?\n");
}

TEST_CASE("tabs are repeated under the line, so that the caret stands right") {
    CHECK(to_text(at(4, "\ta\tb")) == "p.toml:4:4: error: wrong\n    \ta\tb\n    \t \t^\n");
}

TEST_CASE("what is escaped or wide does not move the caret away") {
    CHECK(to_text(at(3, "\x1b[b")) == "p.toml:4:3: error: wrong\n    \\x1b[b\n         ^\n");
    CHECK(to_text(at(3, "äb")) == "p.toml:4:3: error: wrong\n    äb\n     ^\n");
}

TEST_CASE("the caret may stand behind the end, and no further") {
    CHECK(to_text(at(3, "ab")) == "p.toml:4:3: error: wrong\n    ab\n      ^\n");
    CHECK(to_text(at(300, "ab")) == "p.toml:4:300: error: wrong\n    ab\n      ^\n");
}

TEST_CASE("of a long line the part around the column is kept") {
    const std::string line = std::string(5000, 'a') + "X" + std::string(5000, 'b');
    const Diagnostic finding = at(5001, line);
    CHECK(finding.column == 5001);
    CHECK(finding.source.size() < 200);
    CHECK(finding.source[finding.caret - 1] == 'X');
    CHECK(finding.source.starts_with("...a"));
    CHECK(finding.source.ends_with("b..."));
    CHECK(at(1, line).source.starts_with("a"));
    CHECK(at(1, line).caret == 1);
    CHECK(at(10001, line).source.ends_with("b"));
    CHECK(at(10001, line).source[at(10001, line).caret - 1] == 'b');
}

TEST_CASE("a long line of wide characters is cut between them") {
    std::string line;
    for (int i = 0; i < 1000; ++i) line += "日";
    for (unsigned column = 1; column < 3000; column += 3) {
        const Diagnostic finding = at(column, line);
        INFO(column);
        REQUIRE(to_text(finding).find("\\x") == std::string::npos);
        REQUIRE(finding.source.substr(finding.caret - 1).starts_with("日"));
    }
}

TEST_CASE("a finding about the whole file has no line") {
    Diagnostic finding = at(0, "");
    finding.line = 0;
    CHECK(to_text(finding) == "p.toml: error: wrong\n");
}

TEST_CASE("a finding cannot drive the terminal") {
    Diagnostic finding = at(1, "x\x1b]0;t\x07");
    finding.file = "\x1b[2J.toml";
    finding.message = "zone \"\x1b[31m\"";
    finding.hint = "\x9b";
    const std::string text = to_text(finding);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\x07') == std::string::npos);
    CHECK(text.find('\x9b') == std::string::npos);
    CHECK(text.find("\\x1b[31m") != std::string::npos);
}
