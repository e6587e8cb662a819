// SPDX-License-Identifier: Apache-2.0
#pragma once
// The policies that were applied, as plain files below the state directory, so that a
// person can read them when nothing else works:
//
//   policies/000012/policy.toml    as it was, byte for byte
//   policies/000012/about.json     when, by whom, what became of it, its zone files
//   policies/files/SHA256          content of zone files, once for all policies
//   policies/down                  the wall was taken down since the last of them
//
// The wall does not wait for a disk: what cannot be written is an error to tell, and the
// policy is in force all the same.
#include "base/result.h"
#include "daemon/enforced.h"
#include "daemon/wall_news.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// What became of a policy. Good: applied, or confirmed.
enum class Outcome : unsigned char { applied, trial, confirmed, rolled_back, expired };
[[nodiscard]] const char* to_string(Outcome outcome);

struct HistoryEntry {
    std::uint32_t number = 0; // from 1 on, never twice
    Outcome outcome = Outcome::applied;
    std::string applied; // RFC 3339, UTC
    std::string by;
    std::string file;    // where it was read from, absolute
    std::string sha256;  // of its bytes
    std::string message; // "": none
    std::string mode;    // "enforce", "observe"
    std::uint32_t generation = 0;
    std::uint32_t restores = 0;                 // the number that a rollback took up again; 0: none
    std::map<std::string, std::string> files;   // sha256 of zone files, by path as resolved
    [[nodiscard]] std::string contents() const; // contents_hash()
    [[nodiscard]] bool is_good() const {
        return outcome == Outcome::applied || outcome == Outcome::confirmed;
    }
};

class PolicyHistory {
  public:
    static constexpr std::size_t kKept = 20;
    explicit PolicyHistory(const std::string& state_dir);

    // Newest first; what cannot be read is left out. Empty when there is none.
    [[nodiscard]] std::vector<HistoryEntry> entries() const;
    [[nodiscard]] std::optional<HistoryEntry> find(std::uint32_t number) const;
    // As the next number, also after what cannot be read; the oldest beyond kKept go, but never
    // the newest good one, and no zone files while it is not known whose they are. number, files
    // and mode of `entry` are set here.
    [[nodiscard]] Result<std::uint32_t> add(const PolicySource& source, HistoryEntry entry) const;
    [[nodiscard]] Status set_outcome(std::uint32_t number, Outcome outcome) const;
    // `enforced` is on trial no more, and nobody may have written down that it was confirmed.
    [[nodiscard]] Status note_confirmed(const Enforced& enforced) const;
    // The same, and all other trials are expired: none runs.
    [[nodiscard]] Status end_trials(const Enforced& enforced) const;
    // The newest that is what `enforced` is of, zone files too; nullopt: none is.
    [[nodiscard]] std::optional<HistoryEntry> find_enforced(const Enforced& enforced) const;
    // Parsed anew from what was kept. not_found; invalid_input when its bytes have changed.
    [[nodiscard]] Result<PolicySource> load(const HistoryEntry& entry) const;
    // The policy to go back to from the newest good one: what was good before it. A rollback
    // stands where the policy does that it took up again, so that the next goes further back.
    [[nodiscard]] std::optional<HistoryEntry> before_current() const;
    // Which a boot takes; nullopt: none is good.
    [[nodiscard]] std::optional<HistoryEntry> last_good() const;
    // An error: what policies there are cannot be said, which is not that there are none.
    [[nodiscard]] Status check_listable() const;
    // Policies that are there and whose records cannot be read, newest first.
    [[nodiscard]] std::vector<std::uint32_t> unreadable() const;
    // `down` ends what was good: the next start takes the file again. Until add(), also one that
    // was killed before it removed the mark: that names the last policy it is for.
    [[nodiscard]] Status note_down() const;
    [[nodiscard]] bool was_taken_down() const;

  private:
    [[nodiscard]] Result<std::vector<std::uint32_t>> numbers() const;
    [[nodiscard]] std::string directory_of(std::uint32_t number) const;
    [[nodiscard]] std::string down_marker() const { return directory_ + "/down"; }
    void prune() const;
    std::string directory_;
};

// Of the policy in force as a status names it: by the record of it, and where that is lost by the
// file's hash alone. nullopt: none was kept.
[[nodiscard]] std::optional<HistoryEntry>
entry_in_force(const std::string& state_dir, std::uint32_t generation, const std::string& sha256);

} // namespace sallyport
