// SPDX-License-Identifier: Apache-2.0
#pragma once
// Finds the date of a line. Several patterns may fit; a log keeps to one, so what has
// fitted before is tried first, and a date that stands further in than before is taken
// only when nothing else fits.
#include "jail/date_fields.h"
#include "jail/settings.h"

#include <optional>
#include <string_view>
#include <vector>

namespace sallyport::jail {

struct FoundDate {
    Regex::Span where;           // in the line; empty when the pattern wants no date
    std::optional<LogTime> time; // none: it is written like a date and is none
};

class DateDetector {
  public:
    // Without patterns the default ones. An error names file, line and place.
    [[nodiscard]] static Result<DateDetector> make(const std::vector<Pattern>& patterns,
                                                   std::optional<int> zone_minutes);

    [[nodiscard]] std::optional<FoundDate> find(std::string_view line, LogTime now);

  private:
    struct Tried {
        DateTemplate date;
        unsigned hits = 0;
        std::size_t distance = kNever; // where it has been found before
    };
    static constexpr std::size_t kNever = static_cast<std::size_t>(-1);

    DateDetector(std::vector<Tried> templates, std::optional<int> zone_minutes);
    [[nodiscard]] std::optional<std::size_t> choose(std::string_view line);
    [[nodiscard]] std::optional<std::size_t> search(std::string_view line, std::size_t but,
                                                    std::optional<std::size_t> best);
    [[nodiscard]] Regex::Span match_of(std::size_t index) const;
    void remember(std::size_t index);

    std::vector<Tried> templates_;
    std::optional<int> zone_minutes_;
    std::size_t last_ = kNever; // index of the template that was found last
    Regex::Span last_match_{1, kNever};
};

} // namespace sallyport::jail
