// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the screen knows: counters as the wall's status has them, and the events since the screen
// began. A value: a copy of it is a screen that stands still.
#include "event/event.h"
#include "top/meter.h"
#include "top/talkers.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace sallyport::top {

// A way a packet goes, and what became of it. Attempts that connect and sendmsg refuse are packets
// of no bytes.
enum class Stream : std::uint8_t {
    in_admitted,
    in_dropped,
    out_admitted,
    out_dropped,
    through_admitted,
    through_dropped,
};
constexpr std::size_t kStreams = 6;

struct RuleCount {
    std::string name;
    std::string direction;
    std::uint64_t admitted = 0;
    std::uint64_t refused = 0;
    std::uint64_t bytes = 0;
};

struct Counts {
    std::string state; // "protected", as status says it
    std::string why;
    std::string mode;
    std::uint32_t generation = 0;
    std::string trial; // "on trial, 12 s left"; "": none
    std::size_t hooks = 0;
    std::size_t attached = 0;
    std::uint64_t flows = 0;
    std::uint64_t flows_max = 0;
    std::uint64_t bans = 0;
    std::uint64_t events_lost = 0;
    std::array<Passed, kStreams> streams{};
    bool is_routing = false;
    std::vector<RuleCount> rules;
    std::map<std::string, std::uint64_t> reasons; // drops
};

// What tried to leave the inside. Repeats of it are one.
struct Attempt {
    WallTime at{}; // the latest
    std::string who;
    std::string where;
    std::string reason;
    std::uint64_t times = 0;
};

class Model {
  public:
    void take(const Event& event, SteadyTime now);
    void take(Counts counts, WallTime at, SteadyTime now);
    // Why nothing new comes; "": it does.
    void set_trouble(std::string trouble) { trouble_ = std::move(trouble); }

    [[nodiscard]] const Counts& counts() const { return counts_; }
    [[nodiscard]] const std::string& host() const { return host_; }
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    [[nodiscard]] const Meter& meter(Stream stream) const {
        return meters_[static_cast<std::size_t>(stream)];
    }
    [[nodiscard]] const Talkers& sources() const { return sources_; }
    [[nodiscard]] const Talkers& destinations() const { return destinations_; }
    [[nodiscard]] const Talkers& processes() const { return processes_; }
    [[nodiscard]] std::vector<Talker> rules() const;
    [[nodiscard]] std::vector<Talker> reasons() const;
    // The latest first; kAttempts at most.
    [[nodiscard]] const std::deque<Attempt>& attempts() const { return attempts_; }
    [[nodiscard]] std::uint64_t attempts_total() const { return attempts_total_; }
    static constexpr std::size_t kAttempts = 256;

  private:
    struct Counted {
        Meter meter;
        Meter refused;
        WallTime last{};
    };
    void take_attempt(const Event& event);
    static void note(std::map<std::string, Counted>& in, const std::string& name, Passed passed,
                     std::uint64_t refused, WallTime at, SteadyTime now);

    Counts counts_;
    std::string host_;
    std::string trouble_;
    std::array<Meter, kStreams> meters_;
    Talkers sources_, destinations_, processes_;
    std::map<std::string, Counted> rules_, reasons_;
    std::deque<Attempt> attempts_;
    std::uint64_t attempts_total_ = 0;
};

} // namespace sallyport::top
