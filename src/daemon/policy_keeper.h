// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which policy is in force and how it came to be: applied, on trial, confirmed, taken back,
// and the history of it. Between the wall, which switches, and who asks: the control socket,
// SIGHUP, a command without a daemon.
#include "base/result.h"
#include "daemon/history.h"
#include "daemon/wall.h"
#include "event/event.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace sallyport {

// What a change of policy has to tell.
struct PolicyNews {
    WallNews wall;
    std::vector<std::pair<EventState, std::string>> said; // as `policy` events
    // Connections that the policy asked for would not have let open, found before anything has
    // changed. Refused or on trial, nothing is ended.
    std::vector<std::string> would_cut;
    std::optional<PolicySource> in_force; // another one is, since: whose jails are to be followed
};

struct Wish {
    std::chrono::seconds trial{0}; // 0: for good
    bool force = false;            // also when it locks out who asks
    std::string message;
    pid_t asker = 0;                // whose session must survive; 0: nobody's in particular
    bool asker_may_be_gone = false; // of a signal: who cannot be traced may be any who is logged in
    std::string by;
};

// Newest first, as `history` shows it.
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<HistoryEntry>& entries);

class PolicyKeeper {
  public:
    PolicyKeeper(Wall& wall, const std::string& state_dir);

    // The first policy of a wall, which is in force already.
    void note_first(const PolicySource& source, PolicyNews& news);
    // The same of one that was kept: it is in the history already. Trials have ended.
    void note_restored(PolicyNews& news) const { end_stale_trials(news); }
    // What a restart finds in force: as it was kept, or as its file still has it, which is kept
    // then: whoever put it into force may have died before that.
    [[nodiscard]] std::optional<PolicySource> standing(PolicyNews& news);

    // The answers are objects for the control socket: "changed" is false when the policy would
    // lock out who asks, and "shut" says whom; and when it would enforce for the first time, for
    // good, by somebody's ssh session. "would_cut" is what it would end. An error has changed
    // nothing.
    [[nodiscard]] Result<nlohmann::ordered_json> apply(const PolicySource& source, const Wish& wish,
                                                       PolicyNews& news);
    [[nodiscard]] Result<nlohmann::ordered_json> confirm(PolicyNews& news);
    // Ends the trial, if one runs; else takes up an earlier policy: that number's, or, with 0,
    // the one before the current.
    [[nodiscard]] Result<nlohmann::ordered_json> roll_back(std::uint32_t number, const Wish& wish,
                                                           PolicyNews& news);
    // Shuts all but the asker's session and the zone admin; wish.trial: for how long, 0: until
    // it is ended. A trial that runs ends first.
    [[nodiscard]] Result<nlohmann::ordered_json> panic(const Wish& wish, PolicyNews& news);
    [[nodiscard]] Result<nlohmann::ordered_json> end_panic(const Wish& wish, PolicyNews& news);
    [[nodiscard]] nlohmann::ordered_json history() const { return to_json(history_.entries()); }
    // Has a trial ended by itself? Two loads while none runs; every 100 ms or so.
    void look(PolicyNews& news);

  private:
    [[nodiscard]] Result<std::vector<std::string>> change(const PolicySource& source,
                                                          const Wish& wish, PolicyNews& news);
    void keep(const PolicySource& source, const Wish& wish, Outcome outcome, std::uint32_t restores,
              PolicyNews& news);
    void end_stale_trials(PolicyNews& news) const;
    [[nodiscard]] std::optional<PolicySource> as_its_file_has_it(const Enforced& enforced) const;
    // Nothing has enforced here yet, and who asks for it may not see what it does to him.
    [[nodiscard]] bool is_leap(const PolicySource& source, const Wish& wish) const;
    void end_trial(Outcome outcome, const std::string& why, PolicyNews& news);
    [[nodiscard]] std::optional<HistoryEntry> newest(Outcome outcome) const;

    Wall& wall_;
    PolicyHistory history_;
};

// Who asks, for the record: the user, and in brackets whom sudo says he was before.
[[nodiscard]] std::string name_of_asker(pid_t pid, uid_t uid,
                                        const std::string& proc_root = "/proc");
} // namespace sallyport
