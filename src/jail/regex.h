// SPDX-License-Identifier: Apache-2.0
#pragma once
// One compiled regular expression of Python's dialect. Lines are written by
// attackers: a search ends after a bounded number of steps and a bounded amount of
// memory, whatever the line is, and says so.
#include "jail/regex_dialect.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::jail {

enum class Search : std::uint8_t {
    missed,
    found,
    too_costly, // given up at the bound: not known
};

class Regex {
  public:
    [[nodiscard]] static std::expected<Regex, RegexError> compile(std::string_view pattern);
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;
    ~Regex();

    // The first match in `text`, which must be UTF-8 (see as_utf8) and live as long as
    // the groups are asked for.
    [[nodiscard]] Search search(std::string_view text);

    // Of the last match: where a group lies, none when it took no part. Group 0 is all.
    struct Span {
        std::size_t begin = 0;
        std::size_t end = 0;
    };
    [[nodiscard]] std::optional<Span> span(std::size_t group) const;
    [[nodiscard]] std::optional<std::string_view> group(std::size_t number) const;
    [[nodiscard]] std::optional<std::string_view> group(std::string_view name) const;

    // Name and number of each named group, by name.
    [[nodiscard]] const std::vector<std::pair<std::string, std::size_t>>& names() const;
    [[nodiscard]] bool has_group(std::string_view name) const;
    // In Python's words, as it was given.
    [[nodiscard]] const std::string& pattern() const;

  private:
    struct Compiled;
    explicit Regex(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
};

// Bytes that are not UTF-8 become U+FFFD, as fail2ban decodes a log; a byte never keeps
// "." from matching. Returns `text` itself when it is good.
[[nodiscard]] std::string_view as_utf8(std::string_view text, std::string& buffer);

} // namespace sallyport::jail
