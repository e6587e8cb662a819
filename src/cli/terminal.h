// SPDX-License-Identifier: Apache-2.0
#pragma once
// A terminal taken over for a full screen, and given back as it was.
#include "base/fd.h"
#include "base/result.h"
#include "top/frame.h"

#include <memory>
#include <string>
#include <vector>

namespace sallyport {

class Terminal {
  public:
    // Of stdin and stdout. ErrorKind::not_supported when they are no terminal, or one that cannot
    // move its cursor (TERM=dumb). Blocks SIGINT, SIGTERM, SIGHUP, SIGQUIT,
    // SIGTSTP and SIGWINCH.
    [[nodiscard]] static Result<std::unique_ptr<Terminal>> open();
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    [[nodiscard]] int signals() const { return signals_.get(); } // readable: see take_signals()
    enum class News : std::uint8_t { none, resized, ended };
    // When the user stops the process (Ctrl-Z), it stops in here, the terminal given back, and
    // goes on with it taken again.
    [[nodiscard]] News take_signals();

    [[nodiscard]] top::Size size() const;
    // Writes the lines that are not there already.
    void show(const std::vector<std::string>& lines);
    // All of them the next time.
    void forget() { shown_.clear(); }

  private:
    Terminal() = default;
    void enter();
    void leave();

    struct Before; // as it was
    std::unique_ptr<Before> before_;
    Fd signals_;
    bool is_entered_ = false;
    std::vector<std::string> shown_;
};

} // namespace sallyport
