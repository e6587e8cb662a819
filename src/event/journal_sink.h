// SPDX-License-Identifier: Apache-2.0
#pragma once
// Events into systemd's journal. A journal that is not there, restarts or is too slow costs its
// entries, which are counted, and nothing else: nothing waits for it.
#include "base/fd.h"
#include "base/result.h"
#include "event/sink.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace sallyport {

class JournalSink final : public EventSink {
  public:
    // Need not be there yet. An error when there is no descriptor, or `path` is too long.
    [[nodiscard]] static Result<std::unique_ptr<JournalSink>>
    open(const std::string& path = "/run/systemd/journal/socket");
    void take(const Event& event, const std::string& line) override;

    // Entries that it did not take, ever. When it takes them again it is told, by a `lost` entry.
    [[nodiscard]] std::uint64_t lost_ever() const { return lost_ever_; }

  private:
    JournalSink(Fd socket, std::string path) : socket_(std::move(socket)), path_(std::move(path)) {}
    [[nodiscard]] bool send(const Event& event, const std::string& line) const;

    Fd socket_;
    std::string path_;
    std::uint64_t lost_ = 0; // since the last one that was taken
    std::uint64_t lost_ever_ = 0;
};

} // namespace sallyport
