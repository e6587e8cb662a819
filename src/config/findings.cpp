// SPDX-License-Identifier: Apache-2.0
// Gathers findings, and turns places into lines and byte columns.
#include "config/findings.h"

#include "base/text.h"

#include <algorithm>
#include <tuple>

namespace sallyport::config {

namespace {
constexpr std::size_t kKept = 200;   // of each severity
constexpr std::size_t kShown = 1000; // bytes: a message may quote a value of megabytes

Diagnostic and_more(Severity severity, const std::string& file, std::size_t count) {
    const char* const noun = severity == Severity::error ? " more errors" : " more warnings";
    return Diagnostic{.severity = severity,
                      .file = file,
                      .line = 0,
                      .column = 0,
                      .message = "and " + std::to_string(count) + noun,
                      .hint = {},
                      .source = {},
                      .caret = 0};
}
} // namespace

Findings::Findings(std::string file, std::string_view text) : file_(std::move(file)), text_(text) {
    line_starts_.push_back(0);
    for (std::size_t at = 0; (at = text_.find('\n', at)) != std::string_view::npos;)
        line_starts_.push_back(++at);
}

std::string_view Findings::line(unsigned number) const {
    if (number == 0 || number > line_starts_.size()) return {};
    const std::size_t begin = line_starts_[number - 1];
    std::string_view line = text_.substr(begin);
    line = line.substr(0, line.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::size_t Findings::byte_of(Place place) const {
    const std::string_view text = line(place.line);
    std::size_t at = 0;
    for (unsigned column = 1; column < place.column && at < text.size(); ++column)
        at += character_at(text, at).bytes.size();
    return at;
}

void Findings::error(Place place, std::string message, std::string hint) {
    found(Severity::error, place, std::move(message), std::move(hint));
}

void Findings::warning(Place place, std::string message, std::string hint) {
    found(Severity::warning, place, std::move(message), std::move(hint));
}

void Findings::found(Severity severity, Place place, std::string message, std::string hint) {
    if (std::find(silenced_.begin(), silenced_.end(), place) != silenced_.end()) return;
    Diagnostic diagnostic{.severity = severity,
                          .file = file_,
                          .line = place.line,
                          .column = 0,
                          .message = std::move(message),
                          .hint = std::move(hint),
                          .source = {},
                          .caret = 0};
    if (place.line > 0) {
        diagnostic.column = static_cast<unsigned>(byte_of(place) + 1);
        diagnostic = with_source(std::move(diagnostic), line(place.line));
    }
    add(std::move(diagnostic));
}

void Findings::add(Diagnostic diagnostic) {
    diagnostic.message = shortened(diagnostic.message, kShown);
    diagnostic.hint = shortened(diagnostic.hint, kShown);
    std::size_t& count = diagnostic.severity == Severity::error ? errors_ : warnings_;
    if (++count <= kKept) kept_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Findings::take() {
    // Those of one place stay in the order they were found in.
    std::vector<std::tuple<bool, unsigned, unsigned, std::size_t>> order;
    for (std::size_t i = 0; i < kept_.size(); ++i)
        order.emplace_back(kept_[i].file != file_, kept_[i].line, kept_[i].column, i);
    std::sort(order.begin(), order.end());
    std::vector<Diagnostic> sorted;
    for (const auto& [foreign, line, column, index] : order)
        sorted.push_back(std::move(kept_[index]));
    if (errors_ > kKept) sorted.push_back(and_more(Severity::error, file_, errors_ - kKept));
    if (warnings_ > kKept) sorted.push_back(and_more(Severity::warning, file_, warnings_ - kKept));
    return sorted;
}

} // namespace sallyport::config
