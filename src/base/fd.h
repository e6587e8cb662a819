// SPDX-License-Identifier: Apache-2.0
#pragma once
// Owns one file descriptor and closes it once.
#include <unistd.h>
#include <utility>

namespace sallyport {

// Holds a descriptor or, when made by default, moved from or released, none (-1).
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    // Gives the descriptor to the caller, who closes it.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    // Closes what is held and takes the new one. Errors of close(2) are not reported:
    // whoever writes through a descriptor asks fsync(2).
    void reset(int fd = -1) {
        const int old = std::exchange(fd_, fd);
        if (old >= 0) ::close(old);
    }

  private:
    int fd_ = -1;
};

} // namespace sallyport
