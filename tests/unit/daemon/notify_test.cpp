// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"
#include "daemon/notify.h"
#include "support/temp_dir.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::test;

namespace {

// The service manager's end; `name` as in NOTIFY_SOCKET.
class Manager {
  public:
    explicit Manager(const std::string& name)
        : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name[0] == '@') address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        SP_CHECK(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    }
    std::optional<std::string> heard() {
        std::array<char, 4096> buffer;
        const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (size < 0) return std::nullopt;
        return std::string(buffer.data(), static_cast<std::size_t>(size));
    }

  private:
    Fd socket_;
};

} // namespace

TEST_CASE("the service manager hears of each step, by a path and by an abstract name") {
    const TempDir dir;
    for (const std::string& name :
         {dir / "notify", "@sallyport-test-" + std::to_string(::getpid())}) {
        Manager manager(name);
        const Notifier notifier(name);
        CHECK(notifier.is_asked());
        notifier.ready("protected\nby 3 hooks");
        CHECK(manager.heard() == "READY=1\nSTATUS=protected by 3 hooks\n");
        notifier.reloading();
        const auto reloading = manager.heard();
        REQUIRE(reloading);
        CHECK(reloading->starts_with("RELOADING=1\nMONOTONIC_USEC="));
        CHECK(std::strtoull(reloading->c_str() + std::strlen("RELOADING=1\nMONOTONIC_USEC="),
                            nullptr, 10) > 0);
        notifier.status("judging");
        CHECK(manager.heard() == "STATUS=judging\n");
        notifier.stopping();
        CHECK(manager.heard()->starts_with("STOPPING=1\n"));
        CHECK_FALSE(manager.heard());
    }
}

TEST_CASE("nobody is told when nobody asked, or when nobody listens") {
    CHECK_FALSE(Notifier("").is_asked());
    for (const std::string& name :
         {std::string(), std::string("/nowhere/at/all"), std::string("relative"),
          std::string("/") + std::string(500, 'a'), std::string("@")}) {
        const Notifier notifier(name);
        notifier.ready("");
        notifier.stopping();
    }
    SUCCEED("nothing failed, nothing was sent");
}

TEST_CASE("the variable is taken out of the environment, so that children do not speak for us") {
    ::setenv("NOTIFY_SOCKET", "/some/where", 1);
    CHECK(Notifier::from_environment().is_asked());
    CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
    CHECK_FALSE(Notifier::from_environment().is_asked());
}

TEST_CASE("the watchdog hears of us twice in its time, and only from the process it means") {
    using namespace std::chrono_literals;
    const TempDir dir;
    Manager manager(dir / "notify");
    Notifier notifier(dir / "notify");
    const auto start = std::chrono::steady_clock::time_point(1h);
    notifier.alive(start);
    CHECK_FALSE(manager.heard()); // nobody asked
    notifier.set_watchdog(10s);
    notifier.alive(start);
    CHECK(manager.heard() == "WATCHDOG=1\n");
    notifier.alive(start + 4s);
    CHECK_FALSE(manager.heard());
    notifier.alive(start + 5s);
    CHECK(manager.heard() == "WATCHDOG=1\n");

    const auto asked = [](const char* usec, const std::string& pid) {
        ::setenv("WATCHDOG_USEC", usec, 1);
        ::setenv("WATCHDOG_PID", pid.c_str(), 1);
        const auto watchdog = Notifier::from_environment().watchdog();
        CHECK(::getenv("WATCHDOG_USEC") == nullptr);
        CHECK(::getenv("WATCHDOG_PID") == nullptr);
        return watchdog;
    };
    const std::string own = std::to_string(::getpid());
    CHECK(asked("60000000", own) == 60s);
    CHECK(asked("60000000", "1") == 0s);
    for (const char* wrong : {"", "x", "-1", "60s", "99999999999999999999"})
        CHECK(asked(wrong, own) == 0s);
}
