// SPDX-License-Identifier: Apache-2.0
#include "kernel/interfaces.h"
#include "kernel/namespaces.h"
#include "unit/kernel/own_namespace.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sallyport;

namespace {

std::uint64_t inode_of(const std::string& path) {
    struct stat about{};
    REQUIRE(stat(path.c_str(), &about) == 0);
    return about.st_ino;
}

// A process that does nothing in a network namespace of its own.
class Neighbour {
  public:
    explicit Neighbour(const std::string& setup = "true") {
        if (geteuid() != 0) SKIP("only root may make a network namespace");
        std::array<int, 2> ready{};
        std::array<int, 2> end{};
        REQUIRE(pipe2(ready.data(), O_CLOEXEC) == 0);
        REQUIRE(pipe2(end.data(), O_CLOEXEC) == 0);
        pid_ = fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) {
            close(end[1]);
            char byte = unshare(CLONE_NEWNET) == 0 && std::system(setup.c_str()) == 0 ? 'y' : 'n';
            if (write(ready[1], &byte, 1) == 1 && read(end[0], &byte, 1) == 0) _exit(0);
            _exit(1);
        }
        close(ready[1]);
        close(end[0]);
        end_ = Fd(end[1]);
        const Fd told(ready[0]);
        char byte = 0;
        REQUIRE(read(told.get(), &byte, 1) == 1);
        REQUIRE(byte == 'y');
        inode_ = inode_of("/proc/" + std::to_string(pid_) + "/ns/net");
    }
    Neighbour(const Neighbour&) = delete;
    Neighbour& operator=(const Neighbour&) = delete;
    ~Neighbour() { leave(); }
    void leave() {
        if (!end_) return;
        end_.reset();
        waitpid(pid_, nullptr, 0);
    }
    [[nodiscard]] std::uint64_t inode() const { return inode_; }
    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    pid_t pid_ = -1;
    std::uint64_t inode_ = 0;
    Fd end_;
};

NetNamespace namespace_of(const Neighbour& neighbour) {
    Result<std::vector<NetNamespace>> all = other_namespaces();
    REQUIRE(all);
    const auto found = std::ranges::find(*all, neighbour.inode(), &NetNamespace::inode);
    REQUIRE(found != all->end());
    return std::move(*found);
}

bool lists(std::uint64_t inode) {
    const Result<std::vector<NetNamespace>> all = other_namespaces();
    REQUIRE(all);
    return std::ranges::count(*all, inode, &NetNamespace::inode) != 0;
}

bool holds(const Elsewhere& elsewhere, const char* text) {
    return std::ranges::binary_search(elsewhere.addresses, parse_address(text).value());
}

} // namespace

TEST_CASE("a namespace's cookie stays, and is another in another namespace") {
    const auto ours = netns_cookie();
    REQUIRE(ours);
    CHECK(*ours != 0);
    CHECK(netns_cookie().value() == *ours);
    test::in_own_namespace([&] { CHECK(netns_cookie().value() != *ours); });
}

TEST_CASE("another process's namespace is listed once, by one of its processes, and ours never") {
    const Neighbour neighbour;
    CHECK(namespace_of(neighbour).pid == neighbour.pid());
    CHECK_FALSE(lists(inode_of("/proc/self/ns/net")));
    const Result<std::vector<NetNamespace>> all = other_namespaces();
    REQUIRE(all);
    CHECK(std::ranges::adjacent_find(*all, std::ranges::greater_equal{}, &NetNamespace::inode) ==
          all->end());
}

TEST_CASE("whose namespace is our own is a question of the thread") {
    test::in_own_namespace([] {
        CHECK(lists(inode_of("/proc/self/ns/net"))); // the main thread's is another now
        CHECK_FALSE(lists(inode_of("/proc/thread-self/ns/net")));
    });
}

TEST_CASE("a namespace that has ended is not listed") {
    Neighbour neighbour;
    REQUIRE(lists(neighbour.inode()));
    neighbour.leave();
    CHECK_FALSE(lists(neighbour.inode()));
}

TEST_CASE("work runs inside and the caller stays outside") {
    const Neighbour neighbour("ip addr add 198.18.9.1/32 dev lo");
    const NetNamespace where = namespace_of(neighbour);
    const std::uint64_t before = inode_of("/proc/thread-self/ns/net");
    std::uint64_t inside = 0;
    REQUIRE(call_inside(where, [&] { inside = inode_of("/proc/thread-self/ns/net"); }));
    CHECK(inside == neighbour.inode());
    CHECK(inode_of("/proc/thread-self/ns/net") == before);
    const Result<std::vector<Interface>> interfaces = run_inside(where, list_interfaces);
    REQUIRE(interfaces);
    const InterfaceAddress given{parse_address("198.18.9.1").value(), SP_LOCAL_HOST};
    CHECK(std::ranges::any_of(*interfaces, [&](const Interface& interface) {
        return std::ranges::count(interface.addresses, given) == 1;
    }));
}

TEST_CASE("a namespace is entered after its last process has gone") {
    Neighbour neighbour;
    const NetNamespace where = namespace_of(neighbour);
    neighbour.leave();
    CHECK(run_inside(where, netns_cookie));
}

TEST_CASE("an error inside and one on the way are handed on") {
    const Neighbour neighbour;
    const NetNamespace where = namespace_of(neighbour);
    const auto failed =
        run_inside(where, []() -> Status { return fail(ErrorKind::conflict, "inside"); });
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message == "inside");
    bool ran = false;
    const NetNamespace none{
        .fd = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)), .inode = 1, .pid = 1};
    CHECK_FALSE(call_inside(none, [&] { ran = true; }));
    CHECK_FALSE(ran);
}

TEST_CASE("addresses elsewhere are those of other namespaces, without loopback's") {
    const Neighbour neighbour(
        "ip link add sp0 type veth peer name sp1 && ip link set lo up && "
        "ip addr add 198.18.9.5/24 brd + dev sp0 && ip addr add 198.18.8.8/32 dev lo && "
        "ip addr add fd09::5/64 dev sp0 nodad");
    test::in_own_namespace([] {
        test::run_command(
            "ip link add sp2 type veth peer name sp3 && ip addr add 198.18.9.6/24 dev sp2");
        const Result<Elsewhere> found = addresses_elsewhere();
        REQUIRE(found);
        CHECK(holds(*found, "198.18.9.5"));
        CHECK(holds(*found, "fd09::5"));
        CHECK_FALSE(holds(*found, "198.18.9.255"));
        CHECK_FALSE(holds(*found, "127.0.0.1"));
        CHECK_FALSE(holds(*found, "198.18.8.8"));
        CHECK_FALSE(holds(*found, "198.18.9.6")); // our own
        CHECK(found->left_out == 0);
        CHECK(found->unread == 0);
    });
}

TEST_CASE("more addresses elsewhere than there is room for are counted") {
    const Neighbour neighbour("ip link add sp0 type veth peer name sp1 && "
                              "for a in $(seq 17); do for b in $(seq 250); do "
                              "echo addr add 10.9.$a.$b/32 dev sp0; done; done | ip -batch -");
    const Result<Elsewhere> found = addresses_elsewhere();
    REQUIRE(found);
    CHECK(found->addresses.size() == kElsewhereMax);
    CHECK(found->left_out >= 17 * 250 - kElsewhereMax);
}
