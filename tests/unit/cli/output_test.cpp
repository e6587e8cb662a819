// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <catch2/catch_test_macros.hpp>
#include <map>

using namespace sallyport;

namespace {

enum class Terminal { yes, no };

Colour decide(Terminal terminal, std::map<std::string, std::string> variables) {
    return decide_colour(terminal == Terminal::yes, [&](const char* name) -> const char* {
        const auto at = variables.find(name);
        return at == variables.end() ? nullptr : at->second.c_str();
    });
}

} // namespace

TEST_CASE("colours appear on a terminal only, and never with NO_COLOR") {
    CHECK(decide(Terminal::yes, {{"TERM", "xterm"}}) == Colour::always);
    CHECK(decide(Terminal::yes, {{"TERM", "xterm"}, {"NO_COLOR", ""}}) == Colour::always);
    CHECK(decide(Terminal::yes, {{"TERM", "xterm"}, {"NO_COLOR", "1"}}) == Colour::never);
    CHECK(decide(Terminal::yes, {{"TERM", "xterm"}, {"NO_COLOR", "0"}}) == Colour::never);
    CHECK(decide(Terminal::yes, {{"TERM", "dumb"}}) == Colour::never);
    CHECK(decide(Terminal::yes, {}) == Colour::never);
    CHECK(decide(Terminal::no, {{"TERM", "xterm"}}) == Colour::never);
}

TEST_CASE("an error is one exit code by its kind") {
    CHECK(exit_code_of(ErrorKind::invalid_input) == ExitCode::usage);
    for (const ErrorKind kind : {ErrorKind::not_supported, ErrorKind::permission, ErrorKind::kernel,
                                 ErrorKind::conflict, ErrorKind::not_found, ErrorKind::internal})
        CHECK(exit_code_of(kind) == ExitCode::refused);
}

TEST_CASE("an error as JSON has its hint only when there is one") {
    CHECK(error_to_json(fail(ErrorKind::kernel, "no", "yes").error()).dump() ==
          R"({"ok":false,"error":"no","hint":"yes"})");
    CHECK(error_to_json(fail(ErrorKind::kernel, "no").error()).dump() ==
          R"({"ok":false,"error":"no"})");
}
