// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who is banned: the one place through which a ban is made or lifted, by hand, by a jail or by
// a list. Owned by the daemon's one thread.
//
// What it guarantees, to whoever bans:
//   - When ban() returns `banned` the kernel drops everything of that network, both ways; it
//     takes microseconds, and milliseconds for a thousand at once. It needs no daemon to hold
//     or to end.
//   - It is all or nothing: what is refused, and what the kernel or the bound did not take, has
//     changed nothing.
//   - Addresses of this host, zones of [bans] never, loopback, groups, and what the caller
//     gives as his session are never banned, a network that holds one neither.
//   - It never waits for a disk that refuses: the ban holds, `not_kept` says why it would not
//     outlive this boot, and it is written as soon as the disk takes it.
//   - The sockets of who is banned are ended by whoever calls cut_banned(), at the next tick
//     at the latest.
#include "bans/ban_bits.h"
#include "bans/ban_table.h"
#include "base/result.h"
#include "daemon/ban_clock.h"
#include "daemon/ban_news.h"
#include "daemon/ban_store.h"
#include "kernel/maps.h"
#include "policy/policy.h"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

struct BanRequest {
    Prefix network;
    std::optional<Milliseconds> duration{}; // none: until it is lifted
    std::string origin = "hand";            // "jail:NAME" of a jail
    std::string reason{};
    // By hand the last word counts; an automatic ban never shortens one that stands.
    bool grows = false; // longer than `duration` when there were bans before: [bans] increment
    enum class Over : std::uint8_t { replaces, extends } over = Over::replaces;
};

enum class BanAnswer : std::uint8_t { banned, stands, refused, lifted, not_banned };

struct BanOutcome {
    BanAnswer answer = BanAnswer::refused;
    std::string why{};                  // of what is refused, or not banned
    std::string next{};                 // what to do then
    std::optional<Milliseconds> left{}; // of the ban that stands now; none: for ever
    std::string not_kept{};             // why it is not on disk (yet); "" when it is
    std::string also{};                 // what else bans it, or part of it: for people
};

struct BanLine {
    BanRecord record;
    std::optional<Milliseconds> left{};
    bool is_masked = false; // it lies within a never zone: nobody is barred by it
};

struct BanPage {
    std::vector<BanLine> lines;
    std::optional<Prefix> next; // there may be more behind it
};

// The world outside, so that tests do without it.
struct BansWorld {
    Maps maps;
    std::string state_dir;
    BanClock clock;
    std::vector<Address> own; // the host's addresses
    std::function<Result<std::vector<Prefix>>(const std::string& file)> read_list;
};

class Bans {
  public:
    // What stands in the maps goes on; the rest comes from the disk. A disk that refuses is a
    // note, a kernel that does as well: it is tried again at each tick.
    Bans(BansWorld world, std::vector<std::string>& notes);
    Bans(const Bans&) = delete;
    Bans& operator=(const Bans&) = delete;

    // An address of `session` is the caller's own. Errors: the bound, the kernel.
    [[nodiscard]] Result<BanOutcome> ban(const BanRequest& request,
                                         std::span<const Address> session = {});
    [[nodiscard]] Result<BanOutcome> unban(const Prefix& network);

    // The host's addresses, as they come and go.
    void set_own(std::vector<Address> addresses) { own_ = std::move(addresses); }
    // Of the policy in force. What stood within a never zone is masked, and bans again should
    // the zone go before its time is up.
    void set_never(const std::vector<Prefix>& networks, std::vector<std::string>& notes);
    // Of a list's file: what it names from now on; what only it named is lifted. How many came,
    // went. A file that cannot be read, or has an error, is one, and what it named before stands.
    struct Followed {
        std::size_t added = 0;
        std::size_t lifted = 0;
        std::size_t left_out = 0; // addresses of this host, loopback, groups; beyond the bound
    };
    [[nodiscard]] Result<Followed> follow_list(const BanList& list);
    void set_growth(const BanGrowth& growth) { growth_ = growth; }
    void set_lists(const std::vector<BanList>& lists, std::vector<std::string>& notes);
    [[nodiscard]] const std::vector<BanList>& lists() const { return lists_; }

    [[nodiscard]] std::size_t named_by(const std::string& zone) const;

    // Every 100 ms or so: what is over goes, what waits for the disk is tried again.
    void tick();

    [[nodiscard]] std::size_t active() const { return table_.given() + table_.listed(); }
    [[nodiscard]] bool is_banned(const Address& address) const;
    // What was banned by somebody's word, in order; lists are not among it.
    [[nodiscard]] Result<BanPage> page(const std::optional<Prefix>& after, std::size_t most) const;
    [[nodiscard]] std::vector<BanNews> take_news() { return std::exchange(news_, {}); }
    // Is somebody banned since the last call, whose sockets may still be there?
    [[nodiscard]] bool take_fresh() { return std::exchange(fresh_, false); }

  private:
    struct End {
        std::uint64_t until_ns;
        Prefix network;
        bool operator>(const End& other) const { return until_ns > other.until_ns; }
    };

    void load(std::vector<std::string>& notes);
    void open_store(std::vector<std::string>& notes);
    void load_standing();
    void load_lists(std::vector<std::string>& notes);
    [[nodiscard]] Followed name_by_list(const std::string& zone, std::vector<Prefix> networks);
    [[nodiscard]] std::optional<std::uint64_t> end_of(const BanRecord& record) const;
    [[nodiscard]] Status write();
    void note_end(const Prefix& network, std::uint64_t until_ns);
    void end_what_is_over();
    void follow_wall_clock();
    void save(BanRecord record);
    void forget(const Prefix& network);
    void flush();
    void flush_unless_refused();
    [[nodiscard]] std::int64_t clock_offset_ms() const;
    [[nodiscard]] std::optional<BanOutcome> refusal(const BanRequest& request,
                                                    std::span<const Address> session) const;
    // How long a ban that grows lasts this time.
    [[nodiscard]] Milliseconds grown(const BanRequest& request) const;
    void note_repeat(const BanRequest& request);
    [[nodiscard]] std::string what_else(const Prefix& network) const;

    Maps maps_;
    std::string file_;
    std::function<Result<std::vector<Prefix>>(const std::string& file)> read_list_;
    BanClock clock_;
    BanTable table_;
    BanBits bits_;
    std::optional<BanStore> store_;
    std::map<Prefix, BanRecord> unsaved_;
    std::set<Prefix> unremoved_;
    std::string disk_error_;
    std::uint64_t try_disk_at_ns_ = 0;
    std::int64_t offset_ms_ = 0;
    std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
    std::vector<Address> own_;
    BanGrowth growth_;
    std::vector<BanList> lists_;
    std::map<std::string, std::vector<Prefix>> listed_;
    std::vector<BanNews> news_;
    bool fresh_ = false;
    bool unwritten_ = false; // the kernel did not take all that it should
};

} // namespace sallyport
