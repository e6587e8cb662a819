# SPDX-License-Identifier: Apache-2.0
"""Interfaces come, go, change names and namespaces; none is open by accident."""
import ctypes
import os
import struct
import subprocess
import time
import unittest

from harness import PEER, E2e, both, each_family, eventually, rule

RULES = rule("ingress", "web", both(PEER), ports=[80])
CLOSED, OPEN = "timeout", "open"


def update_link(link_pin, program_pin):
    """bpf(BPF_LINK_UPDATE) of two pinned objects, which bpftool has no word for."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]

    def bpf(command, attributes):
        attributes = attributes.ljust(128, b"\0")
        got = libc.syscall(number, command, ctypes.create_string_buffer(attributes, 128), 128)
        if got < 0:
            raise OSError(ctypes.get_errno(), "bpf")
        return got

    descriptors = []
    for pin in (link_pin, program_pin):
        path = ctypes.create_string_buffer(pin.encode())
        descriptors.append(bpf(7, struct.pack("=QII", ctypes.addressof(path), 0, 0)))
    try:
        bpf(29, struct.pack("=IIII", *descriptors, 0, 0))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


class Topology(E2e):
    """eth0 is guarded by name; what else there is, each test makes."""

    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)

    def setUp(self):
        self.made = []

    def tearDown(self):
        for name in self.made:
            subprocess.run(["ip", "-n", self.peer.netns, "link", "del", name], check=False,
                           capture_output=True, timeout=20)
        super().tearDown()

    def make(self, name, number):
        """A cable to the peer with addresses of its own on both ends."""
        self.lab.cable(self.host, name, self.peer, f"p{number}")
        self.made.append(f"p{number}")
        self.give_addresses(name, number)
        self.peer.address(f"p{number}", f"10.{number}.0.2/24", f"fd00:{number}::2/64")

    def give_addresses(self, name, number):
        # What goes down keeps its IPv4 addresses and loses those of IPv6.
        self.host.ip(f"addr replace 10.{number}.0.1/24 dev {name}",
                     f"addr replace fd00:{number}::1/64 dev {name} nodad")

    def into_made(self, number, family, port=81):
        dst = {4: f"10.{number}.0.1", 6: f"fd00:{number}::1"}[family]
        src = {4: f"10.{number}.0.2", 6: f"fd00:{number}::2"}[family]
        return self.into(port, family, dst=dst, src=src)

    def assert_made(self, number, wanted, why):
        for family in (4, 6):
            self.assertEqual(self.into_made(number, family), wanted, f"{why}, IPv{family}")

    def hook(self, iface, which="xdp"):
        for hook in self.guard.status()["hooks"]:
            if hook["hook"] == which and hook["iface"] == iface:
                return hook
        return None

    def is_guarded(self, iface):
        hook = self.hook(iface)
        return hook is not None and hook["attached"]

    def xdp(self, name):
        return self.host.ip_json("link", "show", "dev", name)[0].get("xdp")

    def foreign_program(self):
        """An XDP program that lets everything in, compiled."""
        if os.environ.get("SP_FOREIGN_OBJECT"):  # where there is no compiler
            return os.environ["SP_FOREIGN_OBJECT"]
        source = os.path.join(self.lab.directory, "foreign.c")
        with open(source, "w", encoding="ascii") as file:
            file.write('__attribute__((section("xdp"), used)) int foreign(void *c) '
                       '{ return 2; }\n')
        compiler = next((c for c in ("clang-19", "clang-14", "clang")
                         if subprocess.run(["which", c], capture_output=True,
                                           check=False).returncode == 0), None)
        if compiler is None:
            self.skipTest("no clang to make a foreign program")
        subprocess.run([compiler, "-target", "bpf", "-O2", "-c", source, "-o", source + ".o"],
                       check=True, timeout=20)
        return source + ".o"

    def pins_of(self, name):
        links = os.path.join(self.guard.pins, "v1/links")
        return sorted(p for p in os.listdir(links) if p.endswith("-" + name))


class Appearing(Topology):
    def test_an_interface_that_appears_and_matches_a_glob_is_guarded(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        self.make("lan1", 21)
        self.assertTrue(eventually(lambda: self.is_guarded("lan1")))
        self.assert_made(21, CLOSED, "a guarded newcomer")

    def test_one_that_matches_none_is_left_alone(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        self.make("wan1", 22)
        self.assertFalse(eventually(lambda: self.is_guarded("wan1"), 1.0))
        self.assert_made(22, OPEN, "an interface nobody named")

    def test_one_that_came_while_no_daemon_ran_is_guarded_by_the_next(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        self.guard.kill()
        self.make("lan3", 23)
        self.guard.start(self.file)
        self.assertTrue(self.is_guarded("lan3"))
        self.assert_made(23, CLOSED, "after adoption")

    def test_one_that_goes_is_let_go_with_its_pins(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        self.make("lan4", 24)
        self.assertTrue(eventually(lambda: self.is_guarded("lan4")))
        self.peer.ip("link del p24")
        self.expect_event(event="hook", state="lost", iface="lan4")
        self.assertEqual(self.pins_of("lan4"), [])
        self.assertIsNone(self.hook("lan4"))
        self.assertEqual(self.guard.status()["state"], "protected")

    def test_one_that_comes_back_is_guarded_again_and_counts_on(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        self.make("lan5", 25)
        self.assertTrue(eventually(lambda: self.is_guarded("lan5")))
        self.assert_made(25, CLOSED, "at first")
        before = self.hook("lan5")["dropped"]
        self.assertGreater(before, 0)
        self.peer.ip("link del p25")
        self.assertTrue(eventually(lambda: self.hook("lan5") is None))
        self.make("lan5", 25)
        self.assertTrue(eventually(lambda: self.is_guarded("lan5")))
        self.assert_made(25, CLOSED, "when it is back")
        self.assertGreaterEqual(self.hook("lan5")["dropped"], before)

    def test_more_names_come_and_go_than_there_are_counters(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        for number in range(70):
            self.host.ip(f"link add lan{number} type veth peer name far{number}",
                         f"link del lan{number}")
        self.make("lan99", 26)
        self.assertTrue(eventually(lambda: self.is_guarded("lan99")), self.guard.said()[-2000:])
        self.assert_made(26, CLOSED, "after seventy others")

    def test_one_that_takes_no_hooks_is_told_and_keeps_no_other_from_being_guarded(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        self.make("out7", 27)
        self.give_foreign("out7")
        self.host.ip("link set out7 down", "link set out7 name lan7", "link set lan7 up")
        self.give_addresses("lan7", 27)
        self.make("lan8", 28)
        self.assertTrue(eventually(lambda: self.is_guarded("lan8")), "the other is not guarded")
        status = self.guard.wait_status(lambda s: s["state"] == "not-protected")
        self.assertIn("lan7", status["why"])
        self.assertIn("already holds an XDP program", status["why"])
        self.assertEqual(self.guard.said().count("already holds an XDP program (id"), 1,
                         "it is told once")
        self.host.ip("link set dev lan7 xdpgeneric off")
        self.expect_event(event="hook", state="restored", iface="lan7")
        self.assertEqual(self.guard.status()["state"], "protected")
        self.assert_made(27, CLOSED, "once the foreign program is gone")

    def give_foreign(self, name):
        self.host.ip(f"link set dev {name} xdpgeneric obj {self.foreign_program()} sec xdp")


class Renamed(Topology):
    def rename(self, old, new):
        self.host.ip(f"link set {old} down", f"link set {old} name {new}", f"link set {new} up")

    def test_a_rename_to_a_name_that_matches_keeps_hooks_pins_and_counters(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        self.make("lan1", 31)
        self.assertTrue(eventually(lambda: self.is_guarded("lan1")))
        self.assert_made(31, CLOSED, "at first")
        program, before = self.xdp("lan1"), self.hook("lan1")["dropped"]
        pins = [p.replace("lan1", "lan2") for p in self.pins_of("lan1")]
        self.rename("lan1", "lan2")
        self.give_addresses("lan2", 31)
        self.assertTrue(eventually(lambda: self.is_guarded("lan2")))
        self.assertIsNone(self.hook("lan1"))
        self.assertEqual(self.xdp("lan2"), program, "it was detached in between")
        self.assertEqual(self.pins_of("lan2"), pins)
        self.assertGreaterEqual(self.hook("lan2")["dropped"], before)
        self.assert_made(31, CLOSED, "under its new name")
        self.assertEqual(self.guard.status()["state"], "protected")

    def test_a_rename_to_a_name_that_does_not_match_keeps_it_until_the_next_policy(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        self.make("lan3", 32)
        self.assertTrue(eventually(lambda: self.is_guarded("lan3")))
        self.rename("lan3", "wan3")
        self.give_addresses("wan3", 32)
        self.assertTrue(eventually(lambda: self.is_guarded("wan3")))
        self.assertIn("wan3 now and stays guarded until the next policy", self.guard.said())
        self.assert_made(32, CLOSED, "under a name that does not match")
        self.guard.kill()
        self.guard.start(self.file)
        self.assertTrue(self.is_guarded("wan3"), "a restart lets it go")
        self.assert_made(32, CLOSED, "after a restart")
        generation = self.guard.status()["generation"]
        self.guard.reload()
        self.guard.wait_status(lambda s: s["generation"] != generation)
        self.assertIsNone(self.hook("wan3"))
        self.assert_made(32, OPEN, "the policy as it is does not name it")

    def test_two_that_swap_names_while_no_daemon_runs_are_adopted_under_their_own(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        for name, number in (("lan5", 33), ("lan6", 34)):
            self.make(name, number)
            self.assertTrue(eventually(lambda n=name: self.is_guarded(n)))
        programs = {n: self.host.ip_json("link", "show", "dev", n)[0]["ifindex"]
                    for n in ("lan5", "lan6")}
        self.guard.kill()
        self.rename("lan5", "lanx")
        self.rename("lan6", "lan5")
        self.rename("lanx", "lan6")
        self.give_addresses("lan6", 33)
        self.give_addresses("lan5", 34)
        self.guard.start(self.file)
        for name in ("lan5", "lan6"):
            self.assertTrue(self.is_guarded(name))
            self.assertEqual(len(self.pins_of(name)), len(self.pins_of("eth0")))
        self.assertNotEqual(
            self.host.ip_json("link", "show", "dev", "lan5")[0]["ifindex"], programs["lan5"])
        self.assert_made(33, CLOSED, "swapped")
        self.assert_made(34, CLOSED, "swapped")


class Moved(Topology):
    def test_one_that_moves_to_another_namespace_is_let_go_and_guarded_when_it_returns(self):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        self.make("lan1", 41)
        self.assertTrue(eventually(lambda: self.is_guarded("lan1")))
        away = self.lab.hosts.get("away") or self.lab.host("away")
        self.host.ip(f"link set lan1 netns {away.netns}")
        self.assertTrue(eventually(lambda: self.hook("lan1") is None))
        self.assertEqual(self.pins_of("lan1"), [])
        self.assertTrue(eventually(
            lambda: away.ip_json("link", "show", "dev", "lan1")[0].get("xdp") is None))
        away.ip(f"link set lan1 netns {self.host.netns}")
        self.host.ip("link set lan1 up")
        self.give_addresses("lan1", 41)
        self.assertTrue(eventually(lambda: self.is_guarded("lan1")))
        self.assert_made(41, CLOSED, "back home")

    @each_family
    def test_down_and_up_change_nothing(self, family):
        self.begin(RULES, interfaces=("eth0", "lan*"))
        number = 40 + family
        self.make(f"lan{family}", number)
        self.assertTrue(eventually(lambda: self.is_guarded(f"lan{family}")))
        program = self.xdp(f"lan{family}")
        self.host.ip(f"link set lan{family} down", f"link set lan{family} up")
        self.give_addresses(f"lan{family}", number) if family == 6 else None
        self.assertEqual(self.xdp(f"lan{family}"), program)
        self.assertEqual(self.into_made(number, family), CLOSED)

    def test_a_bridge_that_is_guarded_covers_its_ports(self):
        self.begin(RULES, interfaces=("eth0", "lan*", "br*"))
        self.make("lan5", 45)
        self.assertTrue(eventually(lambda: self.is_guarded("lan5")))
        self.host.ip("link add br0 type bridge", "link set br0 up", "link set lan5 master br0")
        self.addCleanup(lambda: self.host.ip("link del br0"))
        self.host.ip("addr flush dev lan5")
        self.give_addresses("br0", 45)
        self.assertTrue(eventually(lambda: self.is_guarded("br0")))
        self.assertTrue(eventually(lambda: self.hook("lan5") is None))
        self.assertTrue(eventually(lambda: self.into_made(45, 4) == CLOSED))
        self.assert_made(45, CLOSED, "behind a guarded bridge")
        self.host.ip("link set lan5 nomaster")
        self.assertTrue(eventually(lambda: self.is_guarded("lan5")), "a port that left")


class Tampered(Topology):
    def pin(self, part):
        links = os.path.join(self.guard.pins, "v1/links")
        return os.path.join(links, next(p for p in sorted(os.listdir(links)) if part in p))

    def detach(self, part):
        self.host.run("bpftool", "link", "detach", "pinned", self.pin(part))

    def test_every_link_that_is_detached_is_back_within_a_quarter_of_a_second(self):
        self.begin(RULES)
        for part, hook in (("xdp-", "xdp"), ("tcx-", "tc"), ("connect4", "connect4"),
                           ("sendmsg6", "sendmsg6"), ("cgroup_egress", "cgroup_egress")):
            before = len(self.guard.events(event="hook", state="restored"))
            begun = time.monotonic()
            self.detach(part)
            detached = time.monotonic()
            back = eventually(
                lambda n=before: len(self.guard.events(event="hook", state="restored")) > n)
            took = time.monotonic() - detached
            self.assertTrue(back, f"{hook} is not back")
            # Polled every 50 ms here, and the machine is shared.
            self.assertLess(took, 0.25 + 0.05 + (detached - begun) + 0.5, hook)
            told = [e["detail"] for e in self.guard.events(event="hook", state="lost")]
            self.assertTrue(any(d.startswith(hook) for d in told), told)
        self.assertEqual(self.guard.status()["state"], "protected")

    def test_a_removed_pin_is_made_again_so_that_a_crash_opens_nothing(self):
        self.begin(RULES)
        for part in ("xdp-", "connect6"):
            pin = self.pin(part)
            os.unlink(pin)
            self.assertTrue(eventually(lambda p=pin: os.path.exists(p)), pin)
        maps = os.path.join(self.guard.pins, "v1/maps/sp_ifaces")
        os.unlink(maps)
        self.assertTrue(eventually(lambda: os.path.exists(maps)))
        told = [e["detail"] for e in self.guard.events(event="hook", state="restored")]
        self.assertTrue(any("pin was removed" in d for d in told), told)
        self.guard.kill()
        self.assertEqual(self.into(81, 4), CLOSED, "after the crash")
        self.guard.start(self.file)
        self.assertEqual((self.into(80, 4), self.into(81, 4)), (OPEN, CLOSED))

    def test_a_bpf_filesystem_that_is_unmounted_is_no_loss_while_the_daemon_lives(self):
        own = os.path.join(self.lab.bpffs, "own")
        os.mkdir(own)
        subprocess.run(["mount", "-t", "bpf", "bpf", own], check=True, timeout=20)
        pins, environment = self.guard.pins, self.guard.environment
        self.guard.pins = os.path.join(own, "pins")
        self.guard.environment = {**environment, "SALLYPORT_BPFFS": self.guard.pins}
        try:
            self.begin(RULES)
            subprocess.run(["umount", "-l", own], check=True, timeout=20)
            control = os.path.join(self.guard.pins, "v1/maps/sp_control")
            self.assertTrue(eventually(lambda: os.path.exists(control)), self.guard.said()[-900:])
            self.guard.kill()
            for family in (4, 6):
                self.assertEqual(self.into(81, family), CLOSED, "after the crash")
            self.guard.start(self.file)
            self.assertEqual((self.into(80, 4), self.into(81, 4)), (OPEN, CLOSED))
        finally:
            self.end()
            self.guard.down()
            self.guard.pins, self.guard.environment = pins, environment
            subprocess.run(["umount", "-l", own], check=False, capture_output=True, timeout=20)

    def test_a_link_whose_program_was_replaced_gets_its_own_back(self):
        self.begin(RULES)
        foreign = self.foreign_program()
        pin = os.path.join(self.lab.bpffs, "foreign")
        self.host.run("bpftool", "prog", "load", foreign, pin, "type", "xdp")
        self.addCleanup(os.unlink, pin)
        own = self.xdp("eth0")["prog"]["id"]
        update_link(self.pin("xdp-"), pin)
        self.assertTrue(eventually(
            lambda: any("another program" in e["detail"]
                        for e in self.guard.events(event="hook", state="lost"))))
        self.assertTrue(eventually(lambda: self.xdp("eth0")["prog"]["id"] == own))
        self.assertEqual((self.into(80, 4), self.into(81, 4)), (OPEN, CLOSED))


if __name__ == "__main__":
    unittest.main()
