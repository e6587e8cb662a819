// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the live screen is fed with: the daemon's events and status over two connections, neither of
// which is ever waited for.
#include "base/fd.h"
#include "base/result.h"
#include "cli/client.h"
#include "daemon/paths.h"
#include "event/event.h"
#include "top/model.h"

#include <chrono>
#include <optional>
#include <vector>

namespace sallyport {

[[nodiscard]] top::Counts counts_of(const struct StatusView& status);

class TopFeed {
  public:
    // ErrorKind::not_found when there is no daemon.
    [[nodiscard]] static Result<TopFeed> open(const Paths& paths);

    [[nodiscard]] int events() const { return events_.get(); }
    [[nodiscard]] int answers() const { return answers_.get(); }
    // Unless an answer is still to come; an error when it has been for longer than any takes.
    [[nodiscard]] Status ask();
    // When events() is readable: what has come. An error when it is over.
    [[nodiscard]] Result<std::vector<Event>> take_events();
    // When answers() is readable: nothing while the answer is not whole.
    [[nodiscard]] Result<std::optional<top::Counts>> take_counts();

  private:
    TopFeed(Fd events, Fd answers);
    Fd events_, answers_;
    LineReader event_lines_, answer_lines_;
    bool is_answered_ = false; // the request for events
    bool awaits_ = false;      // a status
    std::chrono::steady_clock::time_point asked_at_;
};

} // namespace sallyport
