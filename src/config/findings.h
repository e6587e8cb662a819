// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is found wrong with a policy file, gathered so that one run shows all of it.
#include "config/diagnostic.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

// Where in the policy file. Both count from 1; columns in characters, as the TOML
// parser counts them. Line 0: the file as a whole.
struct Place {
    unsigned line = 0;
    unsigned column = 0;
    auto operator<=>(const Place&) const = default;
};

class Findings {
  public:
    // The text must outlive this.
    Findings(std::string file, std::string_view text);

    void error(Place place, std::string message, std::string hint = {});
    void warning(Place place, std::string message, std::string hint = {});
    // One of another file, complete as it is.
    void add(Diagnostic diagnostic);
    // Nothing more is said of that place: what stands there was reported as a whole.
    void silence(Place place) { silenced_.push_back(place); }

    [[nodiscard]] bool has_error() const { return errors_ > 0; }
    [[nodiscard]] std::size_t errors() const { return errors_; }
    [[nodiscard]] const std::string& file() const { return file_; }
    // The line without its newline; empty beyond the end.
    [[nodiscard]] std::string_view line(unsigned number) const;
    // The byte in its line that the place names, from 0.
    [[nodiscard]] std::size_t byte_of(Place place) const;

    // All that was kept, by place, those of other files last; beyond a few hundred
    // of one severity only their number.
    [[nodiscard]] std::vector<Diagnostic> take();

  private:
    void found(Severity severity, Place place, std::string message, std::string hint);

    std::string file_;
    std::string_view text_;
    std::vector<std::size_t> line_starts_;
    std::vector<Diagnostic> kept_;
    std::vector<Place> silenced_;
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

} // namespace sallyport::config
