// SPDX-License-Identifier: Apache-2.0
#pragma once
// What happened within a span of time, against the span of the same length before it, as a
// value. Events come one by one and are not kept; what is kept is bounded, whoever knocks.
#include "base/ranking.h"
#include "event/event.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::report {

struct Span {
    WallTime from{}, to{}; // of what is told; `to` is not in it
    [[nodiscard]] WallTime before() const { return from - (to - from); }
};

// What is counted over time, each with a curve of its own.
enum class Series : std::uint8_t { arriving, leaving, exfil, limited, bans };
inline constexpr std::size_t kSeries = 5;

struct Curve {
    std::vector<std::uint64_t> now, before; // a bucket each
    std::uint64_t total = 0, total_before = 0;
};

// Who or what came most often.
struct Ranks {
    std::vector<Ranked> top;
    std::size_t others = 0;     // names that are not shown
    std::uint64_t short_by = 0; // by how much a count may be short
    // Nobody came; nobody shown is not nobody when all were forgotten.
    [[nodiscard]] bool is_empty() const { return top.empty() && short_by == 0; }
};

// One happening, or a process that tried the same again and again.
struct Happening {
    WallTime at{};
    std::string text;
    std::uint64_t count = 1;
};

struct Report {
    std::string host;
    Span span;
    std::chrono::seconds bucket{};
    std::array<Curve, kSeries> curves;
    Ranks sources, ports, reasons;        // of what was refused arriving
    Ranks destinations, senders, why_not; // of what was refused leaving
    Ranks limits, banned;                 // rules that limited; sources that were banned
    std::vector<Happening> attempts;      // to get data out: the first of each kind
    // Kinds that are not among them; one that comes again and again beside thousands of others may
    // be in this number more than once.
    std::size_t more_attempts = 0;
    std::vector<Happening> changes;            // of the policy and the hooks, the latest
    std::size_t more_changes = 0;              // older ones
    std::map<std::string, std::uint64_t> lost; // events, by where
    std::uint64_t would_have_been = 0;         // of the drops: only observed
    // The log that it is made of.
    std::uint64_t events = 0, unread_lines = 0, unread_files = 0;
    std::optional<WallTime> reaches_back; // none: there is no event at all
};

// "arriving": for JSON. For people: "Refused on the way in".
[[nodiscard]] std::string_view name_of(Series series);
[[nodiscard]] std::string_view title_of(Series series);

class Collector {
  public:
    Collector(std::string host, Span span);
    // Out of order is no matter; what is of neither span is passed over.
    void take(const Event& event);
    [[nodiscard]] Report finish();

  private:
    struct Ways {
        Ranking now{kRoom}, before{kRoom};
        void add(const std::string& name, std::uint64_t count, bool is_now) {
            (is_now ? now : before).add(name, count);
        }
    };
    static constexpr std::size_t kRoom = 8192; // names of a ranking: some 1 MiB

    void count(Series series, const Event& event, std::uint64_t times);
    void refused(const Event& event, bool is_now);
    void attempt(const Event& event);
    void forget_attempts();
    void keep_latest_changes();
    void change(const Event& event);

    Report report_;
    Ways sources_, ports_, reasons_, destinations_, senders_, why_not_, limits_, banned_;
    std::map<std::string, Happening> attempts_;
    WallTime named_at_{}; // when the event was that named the host
};

// For a mail or an issue tracker: tables, and curves of block characters.
[[nodiscard]] std::string to_markdown(const Report& report);
// One file that needs no other: plots within, no script, nothing is fetched.
[[nodiscard]] std::string to_html(const Report& report);
[[nodiscard]] nlohmann::ordered_json to_json(const Report& report);

} // namespace sallyport::report
