// SPDX-License-Identifier: Apache-2.0
#pragma once
// The reading end of one ring or several.
#include "base/result.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace sallyport {

class RingReader {
  public:
    using Handler = std::function<void(std::span<const std::byte>)>;
    // What is in an earlier one of `maps` is handed over before what is in a later one.
    [[nodiscard]] static Result<RingReader> open(std::span<const int> maps, Handler handler);
    RingReader(RingReader&&) noexcept;
    RingReader& operator=(RingReader&&) noexcept;
    ~RingReader();

    // Readable when a record that asked for a wakeup is there.
    [[nodiscard]] int epoll_fd() const;
    // Hands over what is there, at most a few hundred records, so that a flood cannot keep the
    // caller; true: there is more. Those without a wakeup need it called now and then. What
    // comes in an earlier ring meanwhile waits for these few hundred of a later one.
    [[nodiscard]] Result<bool> drain();

  private:
    struct Impl;
    explicit RingReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace sallyport
