// SPDX-License-Identifier: Apache-2.0
#pragma once
// The systemd journal, followed by matches as journalctl takes them. The journal, not
// the text, says when a line was written and by which unit.
#include "base/result.h"
#include "jail/date_fields.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sd_journal;

namespace sallyport::jail {

// Fields of one entry as the line that syslog would have: "host sshd[12]: message".
// Newlines within the message become "\n", so that no message makes a second line.
[[nodiscard]] std::string journal_line(const std::map<std::string, std::string>& fields);

class JournalFollower {
  public:
    using Sink = std::function<void(std::string_view line, LogTime at)>;

    // Each group of matches is an alternative; within one "+" separates alternatives
    // too. Begins at `from`; entries of before are not read. `directory` is for tests:
    // empty means this machine's journal.
    [[nodiscard]] static Result<JournalFollower>
    make(const std::vector<std::vector<std::string>>& matches, LogTime from,
         const std::string& directory = {});

    // Has this machine a journal at all? One that comes later is not noticed: open it anew.
    [[nodiscard]] bool is_there() const;
    // Readable when something may have happened.
    [[nodiscard]] int fd() const { return fd_; }
    // Hands on what is new, at most so many entries. True when more is waiting.
    [[nodiscard]] Result<bool> pump(std::size_t entries, const Sink& sink);

  private:
    struct Closer {
        void operator()(sd_journal* journal) const;
    };
    using Journal = std::unique_ptr<sd_journal, Closer>;
    JournalFollower(Journal journal, int fd);

    Journal journal_;
    int fd_ = -1; // the journal's own
};

} // namespace sallyport::jail
