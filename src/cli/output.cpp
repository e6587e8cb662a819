// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include "base/text.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace sallyport {
namespace {

int output_error = 0;

constexpr std::size_t kLogLines = 20; // of the verifier: what it objects to stands at the end

std::string last_lines(const std::string& text, std::size_t count) {
    std::size_t at = text.size();
    while (at > 0 && text[at - 1] == '\n') --at;
    const std::size_t end = at;
    for (std::size_t lines = 0; at > 0; --at)
        if (text[at - 1] == '\n' && ++lines == count) break;
    return text.substr(at, end - at);
}

} // namespace

Colour decide_colour(bool is_terminal, const std::function<const char*(const char*)>& get_env) {
    const char* no_colour = get_env("NO_COLOR");
    if (!is_terminal || (no_colour != nullptr && *no_colour != '\0')) return Colour::never;
    const char* term = get_env("TERM");
    if (term == nullptr || std::string_view(term) == "dumb") return Colour::never;
    return Colour::always;
}

Colour colour_for(int fd) {
    return decide_colour(::isatty(fd) == 1,
                         [](const char* name) -> const char* { return std::getenv(name); });
}

void print_data(std::string_view text) {
    errno = 0;
    const bool is_whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if ((!is_whole || std::fflush(stdout) != 0) && errno != EPIPE && output_error == 0)
        output_error = errno;
}

int lost_output() {
    return output_error;
}

void print_json(const nlohmann::ordered_json& json) {
    print_data(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n');
}

void say(std::string_view text) {
    const std::string shown = escaped_lines(text) + '\n';
    std::fwrite(shown.data(), 1, shown.size(), stderr);
}

void say_error(const Error& error) {
    say("sallyport: " + escaped(error.text()));
    if (!error.verifier_log.empty())
        say("the verifier's last lines:\n" + last_lines(error.verifier_log, kLogLines));
    if (!error.hint.empty()) say("  next: " + escaped(error.hint));
}

nlohmann::ordered_json error_to_json(const Error& error) {
    nlohmann::ordered_json object{{"ok", false}, {"error", error.text()}};
    if (!error.hint.empty()) object["hint"] = error.hint;
    return object;
}

ExitCode report_failure(const Error& error, Format format) {
    say_error(error);
    if (format == Format::json) print_json(error_to_json(error));
    return exit_code_of(error.kind);
}

} // namespace sallyport
