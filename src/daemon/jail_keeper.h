// SPDX-License-Identifier: Apache-2.0
#pragma once
// The jails of the policy in force at work: their logs and the journal followed, their
// bans asked for. Owned by the daemon's one thread.
//
// Bounded: a call gives each jail 10 ms, and one slice of 32 KiB or 100 entries at least.
// What an earlier process counted is read again from the logs, by the lines' own times;
// of what it banned for them Bans has the record, so that nobody is banned twice for the
// same, nor in spite of having been unbanned by hand.
#include "base/fd.h"
#include "daemon/ban_types.h"
#include "daemon/status.h"
#include "jail/config_set.h"
#include "jail/jail.h"
#include "jail/journal.h"
#include "jail/log_follower.h"
#include "policy/policy.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

// What a jail asks for as a request to Bans: until so long after the line, never
// shortening what stands. Nullopt when that is over.
enum class Log : std::uint8_t { live, read_again };
[[nodiscard]] std::optional<BanRequest> ban_asked_by(const jail::BanRequest& request, Log log,
                                                     jail::LogTime now);

class JailKeeper {
  public:
    // True: it is banned now, because of this.
    using Ban = std::function<bool(const jail::BanRequest&, Log)>;
    using OpenJournal = std::function<Result<jail::JournalFollower>(
        const std::vector<std::vector<std::string>>& matches, jail::LogTime from)>;
    // How often each source was banned by this jail, before there was this process.
    using Earlier = std::function<void(const std::string& jail,
                                       const std::function<void(const Prefix&, unsigned)>& call)>;
    struct World {
        jail::FileWorld files;
        OpenJournal open_journal;
        std::string fail2ban = "/etc/fail2ban";
        std::function<jail::LogTime()> now;
    };
    [[nodiscard]] static World system_world();

    // An error of the kernel's: no descriptors.
    [[nodiscard]] static Result<JailKeeper> make(World world);

    // The jails of this policy from now on; one that is the same as before goes on where it
    // is. One that cannot be used is told, and the others work.
    void follow(const Policy& policy, const std::string& policy_file, const Earlier& earlier,
                std::vector<std::string>& warnings);
    // This host's addresses, which no jail bans that is not told to.
    void set_own(std::vector<Address> own);
    // Readable when there is something to pump.
    [[nodiscard]] int fd() const { return epoll_.get(); }
    void pump(const Ban& ban, std::vector<std::string>& warnings);
    // Every few seconds: for what nobody is told of. pump() is due then.
    void look();
    [[nodiscard]] std::size_t size() const { return kept_.size(); } // that work
    [[nodiscard]] std::vector<JailStatus> states() const;
    [[nodiscard]] jail::LogTime now() const { return world_.now(); }
    // Was no refusal of this source told before? Remembers a thousand, until follow().
    [[nodiscard]] bool is_new_refusal(const jail::BanRequest& request);

  private:
    struct Kept {
        jail::Jail jail;
        std::optional<jail::LogFollower> logs{};
        std::optional<jail::JournalFollower> journal{};
        std::string why{}; // of the journal
    };
    using Jails = std::vector<std::unique_ptr<Kept>>;

    JailKeeper(World world, Fd epoll, Fd more);
    void refuse(const std::string& jail, const Error& error, std::vector<std::string>& warnings);
    void keep(jail::JailSettings settings, Jails& before, const Earlier& earlier,
              std::vector<std::string>& warnings);
    [[nodiscard]] Status open_sources(Kept& kept);
    [[nodiscard]] Status open_journal(Kept& kept);
    // True when more is waiting.
    [[nodiscard]] bool pump_one(Kept& kept, const Ban& ban, std::vector<std::string>& warnings);
    [[nodiscard]] bool pump_journal(Kept& kept, const jail::JournalFollower::Sink& sink,
                                    std::vector<std::string>& warnings);
    [[nodiscard]] Status watch(int fd);

    World world_;
    Fd epoll_;
    Fd more_; // an eventfd: there is more than one call reads
    std::vector<Address> own_;
    Jails kept_;
    std::vector<JailStatus> unused_;
    std::set<std::pair<std::string, Prefix>> refused_;
};

} // namespace sallyport
