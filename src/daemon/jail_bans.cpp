// SPDX-License-Identifier: Apache-2.0
#include "daemon/jail_bans.h"

#include "base/text.h"
#include "daemon/session.h"

#include <chrono>
#include <fmt/format.h>

namespace sallyport {
namespace {

// A look at who is logged in reads all of /proc: not for each of many bans.
class Sessions {
  public:
    [[nodiscard]] const std::vector<Address>& now() {
        const auto at = std::chrono::steady_clock::now();
        if (looked_ && at - *looked_ < std::chrono::seconds(1)) return peers_;
        looked_ = at;
        const Result<std::vector<SocketInfo>> sockets = list_tcp();
        peers_ = sockets ? root_session_peers(*sockets) : std::vector<Address>{};
        return peers_;
    }

  private:
    std::optional<std::chrono::steady_clock::time_point> looked_;
    std::vector<Address> peers_;
};

Result<BanOutcome> ban(Bans& bans, const jail::BanRequest& request, BanRequest asked,
                       const std::vector<Address>& sessions) {
    Result<BanOutcome> outcome = bans.ban(asked, sessions);
    const bool may_narrow = request.who != request.source;
    if (!outcome || outcome->answer != BanAnswer::refused || !may_narrow) return outcome;
    asked.network = request.who;
    return bans.ban(asked, sessions);
}

} // namespace

WallNews jails_of(const PolicySource& source, JailKeeper& jails, Wall& wall) {
    WallNews news;
    jails.set_own(own_addresses(wall.interfaces()));
    jails.follow(
        source.policy, source.file,
        [&](const std::string& jail, const std::function<void(const Prefix&, unsigned)>& call) {
            wall.bans().each_count("jail:" + jail, call);
        },
        news.warnings);
    if (jails.size() != 0)
        news.notes.push_back(
            fmt::format("{} {} logs", jails.size(),
                        jails.size() == 1 ? "jail follows its" : "jails follow their"));
    return news;
}

WallNews pump_jails(JailKeeper& jails, Wall& wall) {
    static Sessions sessions; // of the one thread
    WallNews news;
    bool any = false;
    jails.pump(
        [&](const jail::BanRequest& request, Log log) {
            const std::optional<BanRequest> asked = ban_asked_by(request, log, jails.now());
            if (!asked) return false;
            const Result<BanOutcome> outcome = ban(wall.bans(), request, *asked, sessions.now());
            std::string why;
            if (!outcome)
                why = outcome.error().text();
            else if (outcome->answer == BanAnswer::refused)
                why = outcome->why;
            const bool is_banned = outcome && outcome->answer == BanAnswer::banned;
            any |= is_banned;
            if (!why.empty() && jails.is_new_refusal(request))
                news.warnings.push_back(fmt::format("jail \"{}\" does not ban {}: {}",
                                                    escaped(request.jail),
                                                    to_string(request.source), why));
            return is_banned;
        },
        news.warnings);
    if (any) wall.tend_bans(news);
    return news;
}

} // namespace sallyport
