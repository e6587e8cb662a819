// SPDX-License-Identifier: Apache-2.0
// The event log of two weeks, read in bounded room.
#include "cli/drift_review.h"
#include "cli/event_log.h"
#include "event/names.h"
#include "sallyport/abi/types.h"

#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr std::size_t kNames = 16384; // a ranking's room: some 2 MiB
constexpr std::size_t kTop = 10;
constexpr std::size_t kHookLines = 20;
constexpr std::size_t kOrigins = 256;

struct Ways {
    Ranking now{kNames}, before{kNames};
};

// A host of IPv6 has all of its /64.
std::string source_of(const Address& address) {
    return to_string(prefix_of(address, address.is_v4() ? 128 : 64));
}

std::string destination_of(const Event& event) {
    std::string name = event.dst ? to_string(*event.dst) : "?";
    if (event.dst_port) name += fmt::format(" port {}", *event.dst_port);
    const std::string& who = event.unit.empty() ? event.comm : event.unit;
    return who.empty() ? name : name + ", by " + who;
}

class LogReader {
  public:
    LogReader(const LogSpan& span, drift::Review& review) : span_(span), review_(review) {}

    void take(const Event& event) {
        const std::string when = timestamp_text(event.at);
        if (review_.reaches_back.empty() || when < review_.reaches_back)
            review_.reaches_back = when;
        const bool is_now = event.at >= span_.from;
        if (event.kind == EventKind::drop || event.kind == EventKind::would_drop)
            drop(event, is_now);
        if (!is_now) return;
        review_.lines++;
        if (event.kind == EventKind::lost)
            review_.lost[event.lost_by ? to_string(*event.lost_by) : "unknown"] += event.count;
        if (event.kind == EventKind::hook) hook(event, when);
        const std::uint64_t networks = event.network || event.src ? 1 : event.count;
        if (event.kind == EventKind::ban) {
            review_.bans_made += networks;
            count(review_.bans_by, "by " + event.origin, networks);
        }
        if (event.kind == EventKind::unban)
            count(review_.bans_ended, "by " + event.origin, networks);
    }
    void finish() {
        rank(arriving_, review_.arriving);
        rank(leaving_, review_.leaving);
    }

  private:
    void drop(const Event& event, bool is_now) {
        const bool leaves = event.direction == SP_EGRESS;
        if (!leaves && !event.src) return;
        Ways& ways = leaves ? leaving_ : arriving_;
        (is_now ? ways.now : ways.before)
            .add(leaves ? destination_of(event) : source_of(*event.src), event.repeats);
    }
    void hook(const Event& event, const std::string& when) {
        const bool tells = event.state == EventState::lost || event.state == EventState::restored;
        if (tells && hooks_++ < kHookLines)
            review_.changes.push_back(when.substr(0, 16) + " hook " + to_string(*event.state) +
                                      ": " + event.detail);
    }
    static void count(std::map<std::string, std::uint64_t>& counts, const std::string& name,
                      std::uint64_t more) {
        const bool has_room = counts.size() < kOrigins || counts.contains(name);
        counts[has_room ? name : "by others"] += more;
    }
    static void rank(const Ways& ways, drift::Drops& drops) {
        drops.top = ways.now.top(kTop, ways.before);
        drops.total = ways.now.total();
        drops.before = ways.before.total();
        drops.short_by = ways.now.short_by();
    }

    const LogSpan& span_;
    drift::Review& review_;
    Ways arriving_, leaving_;
    std::size_t hooks_ = 0;
};

} // namespace

void read_log(const std::string& path, const LogSpan& span, drift::Review& review) {
    LogReader reader(span, review);
    const LogRead read =
        read_event_log(path, span.before, span.to, [&](const Event& event) { reader.take(event); });
    review.unread = read.unread_lines;
    review.compressed = read.unread_files;
    reader.finish();
}

} // namespace sallyport
