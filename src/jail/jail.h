// SPDX-License-Identifier: Apache-2.0
#pragma once
// A jail at work: lines in, bans out. It bans nobody itself; whoever holds it does.
#include "jail/ban_time.h"
#include "jail/failure_counter.h"
#include "jail/judge.h"
#include "jail/settings.h"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::jail {

// "Ban this source for so long, by this jail, because of this line."
struct BanRequest {
    std::string jail;
    Prefix source;
    Prefix who; // as the line has it: `source`, or an address within it
    std::optional<std::chrono::seconds> span; // none: without end
    LogTime at;                               // of the line that decided
    unsigned failures = 0;
    unsigned earlier = 0;  // bans of the same source by this jail before
    bool is_grown = false; // the span counts them in
    std::string line;      // as it was written, at most 512 bytes
};

// What became of one failure of a line.
enum class Fate : std::uint8_t {
    counted,
    banned,
    spared,     // on the ignore list, or this host itself
    no_address, // a name, or what is no address
    too_wide,   // a network that no line may ban: wider than /16, or /32 of IPv6
    too_old,    // longer ago than find_time, or, of an old log, nobody knows when
};
[[nodiscard]] const char* to_string(Fate fate);

struct Told {
    Failure failure;
    Fate fate = Fate::counted;
    unsigned failures = 0;
};

struct LineResult {
    Outcome outcome = Outcome::missed;
    std::optional<std::size_t> regex;
    bool is_pending = false;
    std::vector<Told> told;
    std::vector<BanRequest> bans;
};

struct JailCounters {
    std::uint64_t lines = 0, matched = 0, ignored = 0, too_long = 0, too_costly = 0, bans = 0;
    std::uint64_t odd_times = 0; // failures of a live log whose time was not believed
};

// What time it is to a jail: the wall clock's, or, over a log of the past, that of its
// lines.
enum class Times : std::uint8_t { wall, of_lines };

class Jail {
  public:
    // `own` are this host's addresses, which ignoreself spares.
    [[nodiscard]] static Result<Jail> make(JailSettings settings, std::vector<Address> own = {},
                                           Times times = Times::wall);

    // `now` is the wall clock: a line's time is never later, and is now when it has
    // none. With `known` the line comes from the journal, which knows when that was.
    [[nodiscard]] LineResult take(std::string_view line, LogTime now,
                                  std::optional<LogTime> known = std::nullopt);

    // What was there when the log was opened has been read: from here on lines are
    // written as they are read. One that says otherwise by more than a minute (a service
    // in another zone, a clock that is off) is taken as of now, as fail2ban does: it
    // would be too old for ever.
    void go_live() { is_live_ = true; }
    [[nodiscard]] bool is_live() const { return is_live_; }
    void set_own(std::vector<Address> own) { own_ = std::move(own); }

    [[nodiscard]] const JailSettings& settings() const { return settings_; }
    [[nodiscard]] const JailCounters& counters() const { return counters_; }
    [[nodiscard]] const Judge& judge() const { return judge_; }
    [[nodiscard]] const FailureCounter& failures() const { return failures_; }
    // What is known of bans from before this one was made.
    void set_earlier_bans(const Prefix& source, unsigned times) { history_.set(source, times); }

  private:
    Jail(JailSettings settings, std::vector<Address> own, Times times, Judge judge);
    [[nodiscard]] LogTime believed(LogTime written, LogTime now, bool is_known);
    [[nodiscard]] bool is_undated(const Failure& failure, LogTime now, bool is_known) const;
    [[nodiscard]] Told judge_failure(Failure failure, LogTime at, LogTime now, bool is_known,
                                     std::string_view line, LineResult& result);
    [[nodiscard]] bool is_spared(const Prefix& source) const;
    [[nodiscard]] Prefix source_of(const Prefix& who) const;

    JailSettings settings_;
    std::vector<Address> own_;
    Times times_;
    bool is_live_ = false;
    LogTime latest_{}; // of a line
    Judge judge_;
    FailureCounter failures_;
    BanHistory history_;
    JailCounters counters_;
    std::minstd_rand dice_;
};

} // namespace sallyport::jail
