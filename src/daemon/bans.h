// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who is banned: the one place through which a ban is made or lifted, by hand, by a jail or by
// a list. Owned by the daemon's one thread.
//
// What it guarantees, to whoever bans:
//   - When ban() returns `banned` the kernel drops everything of that network, both ways, within
//     a millisecond; it needs no daemon to hold or to end. Sockets are ended at the next tick.
//   - All or nothing: what is refused, or not taken by the kernel or the bound, changes nothing.
//   - Addresses of this host, zones of [bans] never, loopback, groups, and what the caller
//     gives as his session are never banned, a network that holds one neither.
//   - A disk that refuses hinders nothing: the ban holds, `not_kept` says why it would not
//     outlive this boot, and it is written as soon as the disk takes it.
#include "bans/ban_bits.h"
#include "bans/ban_table.h"
#include "daemon/ban_listing.h"
#include "daemon/ban_repeats.h"
#include "daemon/ban_types.h"

#include <map>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

class Bans {
  public:
    // What stands goes on, the rest comes from the disk. Should it or the kernel refuse, that
    // is a note, and is tried again at each tick.
    Bans(BansWorld world, std::vector<std::string>& notes);
    Bans(const Bans&) = delete;
    Bans& operator=(const Bans&) = delete;
    // An address of `session` is the caller's own. Errors: the bound, the kernel.
    [[nodiscard]] Result<BanOutcome> ban(const BanRequest& request,
                                         std::span<const Address> session = {});
    [[nodiscard]] Result<BanOutcome> unban(const Prefix& network, const BanLifter& lifter = {});

    void set_own(std::vector<Address> addresses) { own_ = std::move(addresses); }
    // Of the policy in force. What stands within one is masked, and bans again without it.
    void set_never(const std::vector<Prefix>& networks, std::vector<std::string>& notes);
    // What a list's file names from now on; what only it named is lifted. An error is that of
    // the file, or the kernel's; what the file named before stands then.
    using Followed = ListFollowed;
    [[nodiscard]] Result<Followed> follow_list(const BanList& list);
    // The same in steps, while more is to be done than one may wait for. The file is read at
    // once, and its error is the answer; what it named before goes on being followed then. A
    // list that changes again begins again, from where it stands.
    [[nodiscard]] Status begin_list(const BanList& list);
    struct Done {
        BanList list;
        Followed followed;
        std::string failure; // the kernel's; "" of none
    };
    // Some steps, while has_time() says so; those lists that are done with it.
    [[nodiscard]] std::vector<Done> step_lists(const std::function<bool()>& has_time);
    [[nodiscard]] bool is_listing() const { return !listings_.empty(); }
    void set_growth(const BanGrowth& growth) { repeats_.set_growth(growth); }
    void each_count(const std::string& origin, const EachCount& call) const;
    void set_lists(const std::vector<BanList>& lists, std::vector<std::string>& notes);
    [[nodiscard]] const std::vector<BanList>& lists() const { return lists_; }
    [[nodiscard]] std::size_t named_by(const std::string& zone) const;
    // Every 100 ms or so: what is over goes, what waits for the disk is tried again.
    void tick();

    [[nodiscard]] std::size_t active() const { return table_.given() + table_.listed(); }
    [[nodiscard]] bool is_banned(const Address& address) const;
    // What was banned by somebody's word, in order; lists are not among it.
    [[nodiscard]] Result<BanPage> page(const std::optional<Prefix>& after, std::size_t most) const;
    // What stands by the word of this origin.
    [[nodiscard]] std::vector<Prefix> given_by(const std::string& origin) const;
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
    // Of all places; the rest is for bans by hand, by jails and after limits, however long
    // the lists grow.
    [[nodiscard]] std::size_t most_listed() const { return most_listed_of(most_); }
    struct Listing {
        BanList list;
        BanListing change;
        std::string failure;
    };
    [[nodiscard]] bool has_place_on_list(const Prefix& network) const;
    void step(Listing& listing);
    void leave_listings();
    void tell(const BanListing& change);
    void settle(const BanListing& change);
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
    [[nodiscard]] std::string what_else(const Prefix& network) const;
    [[nodiscard]] bool is_banned_by(const BanRequest& request) const; // its origin

    Maps maps_;
    std::string file_;
    std::size_t most_;
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
    std::vector<Prefix> never_;
    bool rules_unsaved_ = false; // never_ and lists_
    BanRepeats repeats_;
    std::vector<BanList> lists_;
    // What lists have named; with what listings_ have done since, what they name.
    std::map<std::string, std::vector<Prefix>> listed_;
    std::vector<Listing> listings_; // under way, of a zone one at most
    std::vector<BanNews> news_;
    bool fresh_ = false;
    bool unwritten_ = false; // the kernel did not take all that it should
};

} // namespace sallyport
