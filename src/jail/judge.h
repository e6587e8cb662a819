// SPDX-License-Identifier: Apache-2.0
#pragma once
// One filter at work: a line in, whom it accuses out. A line is text that attackers
// write: it is never executed, never looked up, and judged within bounds.
#include "base/ip.h"
#include "jail/connections.h"
#include "jail/date_detector.h"
#include "jail/fail_regex.h"
#include "jail/settings.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::jail {

// A longer line is not judged (Outcome::too_long): no service writes one.
inline constexpr std::size_t kLineMax = 64 * 1024;

struct Failure {
    std::size_t regex = 0;         // index of the failregex
    std::string who;               // as the line has it: an address, a name, what <F-ID> holds
    std::optional<Prefix> network; // whom to ban; none: no address, nobody is banned
    std::optional<LogTime> time;   // none: the line has no date
    Facts facts;
    bool is_failure = true; // false: pending, or <F-NOFAIL>; only with Check::all
};

enum class Outcome : std::uint8_t {
    missed,
    ignored, // by an ignoreregex
    matched,
    too_long,
    too_costly, // no expression matched, and at least one was given up
};

struct Verdict {
    Outcome outcome = Outcome::missed;
    std::vector<Failure> failures;
    std::optional<std::size_t> regex; // that matched or ignored
    bool is_pending = false;          // a failure, and no line has said yet whose
};

// The first expression that fits decides; `all` tries every one, as fail2ban's own
// tests do, and tells also of what is no failure.
enum class Check : std::uint8_t { first, all };

class Judge {
  public:
    // An error names the first expression that does not compile, or why the filter
    // cannot be used: no failregex, several lines at a time (maxlines).
    [[nodiscard]] static Result<Judge> make(const FilterSettings& settings,
                                            Check check = Check::first);

    // `now` is the wall clock, for what dates leave out. With `known` the line has no
    // date of its own: the journal knows it.
    [[nodiscard]] Verdict judge(std::string_view line, LogTime now,
                                std::optional<LogTime> known = std::nullopt);

    [[nodiscard]] const std::vector<FailRegex>& failregex() const { return fail_; }
    [[nodiscard]] const std::vector<FailRegex>& ignoreregex() const { return ignore_; }
    [[nodiscard]] std::size_t connections() const { return connections_.size(); }

  private:
    struct Line {
        std::string text; // without the date
        std::optional<LogTime> time;
        LogTime now;
    };
    Judge(DateDetector dates, Check check);
    [[nodiscard]] Line without_date(std::string_view line, LogTime now);
    [[nodiscard]] Verdict judge_text(Line line);
    [[nodiscard]] std::optional<std::size_t> ignored_by(const std::string& text);
    [[nodiscard]] Failure failure_of(std::size_t index, const Groups& before, const Line& line);

    std::optional<FailRegex> prefix_;
    std::vector<FailRegex> fail_;
    std::vector<FailRegex> ignore_;
    DateDetector dates_;
    Check check_;
    Connections connections_;
    std::optional<LogTime> last_time_;
    std::string buffer_;
};

} // namespace sallyport::jail
