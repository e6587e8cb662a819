# SPDX-License-Identifier: Apache-2.0
"""drift: what somebody changed behind the daemon's back is found and named, by the pins alone;
what nobody changed is not."""
import ipaddress
import json
import os
import shutil
import struct
import time
import unittest

from foreign import foreign
from harness import NET, PEER, E2e, both, eventually, rule

# Its networks lie in the tries, its ports in classes, its unit in the automaton.
RULES = (rule("ingress", "web", both(NET), ports=[80], limit="20/minute")
         + rule("egress", "https", both(PEER), ports=[443], unit="app.service")
         + rule("deny", "no telnet", ["10.9.0.0/16"], ports=[23], direction="egress"))


def key_of(network):
    net = ipaddress.ip_network(network)
    return struct.pack("=I", net.prefixlen) + net.network_address.packed


class Drift(E2e):
    @classmethod
    def start(cls):
        cls.end()
        for state in ("state", "log"):
            shutil.rmtree(os.path.join(cls.guard.directory, state), ignore_errors=True)
        cls.file = cls.guard.write_policy(cls.policy(RULES), "policy.toml")
        cls.guard.start(cls.file)

    def drift(self, entries=60000):
        """The exit code and the findings that are drift, as {id: [finding]}."""
        done = self.guard.call("drift", "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        report = json.loads(done.stdout)
        found = {}
        for one in report["findings"]:
            self.assertTrue(one["next"], one)
            if one["level"] == "drift":
                found.setdefault(one["id"], []).append(one)
        self.assertEqual((report["drift"], done.returncode), (bool(found), 1 if found else 0))
        self.assertGreaterEqual(report["compared"]["entries"], entries)
        return found

    def assert_none(self, when):
        done = self.guard.call("drift")
        self.assertEqual((done.returncode, done.stdout), (0, ""), f"{when}: {done.stderr}")
        self.assertRegex(done.stderr, r"compared: generation \d+, 19 maps")

    def assert_clean_again(self):
        self.assertEqual(self.guard.call("apply", self.file, "--force").returncode, 0)
        self.assertTrue(eventually(lambda: not self.drift()), self.drift())

    def pin(self, *parts):
        return os.path.join(self.guard.pins, "v1", *parts)

    def bpftool(self, *words):
        return self.host.run("bpftool", "-j", *words)

    def slot(self):
        word = json.loads(self.bpftool("map", "dump", "pinned", self.pin("maps", "sp_control")))
        return int(word[0]["formatted"]["value"]["word"]) & 0xff

    def table(self, name):
        """The id of the table of the slot in force."""
        key = [str(b) for b in struct.pack("=I", self.slot())]
        got = json.loads(self.bpftool("map", "lookup", "pinned", self.pin("maps", name), "key",
                                      *key))
        return struct.unpack("=I", bytes(int(b, 16) for b in got["value"]))[0]

    def write(self, name, key, value):
        self.bpftool("map", "update", "id", str(self.table(name)), "key", *map(str, key),
                     "value", *map(str, value))


class Changed(Drift):
    """One wall; each test leaves it as it was."""
    SHARED = True

    @classmethod
    def prepare(cls):
        cls.start()

    def test_a_changed_file_is_drift_until_it_is_loaded(self):
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(rule("ingress", "api", both(PEER), ports=[81]))
        one = self.drift()["file"][0]
        self.assertEqual(one["about"], self.file)
        self.assertEqual(one["details"], ['only in the file: ingress rule "api"'])
        self.assertEqual(one["next"], f"sallyport apply {self.file}")
        self.assertEqual(self.guard.call(*one["next"].split()[1:], "--force").returncode, 0)
        self.assert_none("when it is loaded")
        os.chmod(self.file, 0o666)
        self.assertIn("cannot be read", self.drift()["file"][0]["text"])
        self.guard.write_policy(self.policy(RULES), "policy.toml")
        self.assert_clean_again()

    def test_entries_that_somebody_wrote_are_named(self):
        for name, network, gone in (("sp_v4_trie", "198.51.100.0/24", NET[4]),
                                    ("sp_v6_trie", "2001:db8:bad::/48", NET[6])):
            # The trie is as large as it has to be: one must go for another.
            self.bpftool("map", "delete", "id", str(self.table(name)), "key",
                         *map(str, key_of(gone)))
            self.write(name, key_of(network), struct.pack("=I", 1))
            found = self.drift()["map"]
            self.assertEqual([one["about"] for one in found], [name])
            self.assertEqual(found[0]["details"][0], f"too many: {network}, class 1")
            self.assertRegex(found[0]["details"][1], rf"^missing: {gone}, class \d+$")
            self.assert_clean_again()
        self.write("sp_v4_trie", key_of(NET[4]), struct.pack("=I", 77))
        self.write("sp_rules", struct.pack("=I", 2), struct.pack("=IIII", 1, 0, 2, 0))  # the deny
        found = {one["about"]: one for one in self.drift()["map"]}
        self.assertEqual(set(found), {"sp_v4_trie", "sp_rules"})
        self.assertRegex(found["sp_v4_trie"]["details"][0],
                         rf"^different: {NET[4]}: class 77 instead of \d+$")
        self.assertEqual(found["sp_rules"]["details"],
                         ["different: entry 2: word 0 is 1 instead of 0"])
        text = self.guard.call("drift")
        self.assertEqual(text.returncode, 1)
        self.assertIn(f"different: {NET[4]}", text.stdout)
        self.assertIn(f"next: sallyport apply {self.file}", text.stdout)
        self.assert_clean_again()
        key = struct.pack("=I", int(self.host.ip_json("link", "show", "dev", "eth0")[0]["ifindex"]))
        self.bpftool("map", "update", "pinned", self.pin("maps", "sp_ifaces"), "key",
                     *map(str, key), "value", *["0"] * 24)
        self.assertIn("different: eth0: guarded is 0 instead of 1",
                      self.drift()["map"][0]["details"])
        self.assert_clean_again()

    def test_bans_that_nobody_gave_or_that_somebody_took_away_are_named(self):
        for banned in ("198.51.100.7", "2001:db8:7::7", "198.51.100.0/25"):
            self.assertEqual(self.guard.call("ban", banned, "--for", "1h").returncode, 0)
        self.assert_none("after bans by hand")
        key = lambda network: list(map(str, key_of(network)))  # noqa: E731
        self.bpftool("map", "delete", "pinned", self.pin("maps", "sp_bans6"), "key",
                     *key("2001:db8:7::7/128"))
        self.bpftool("map", "update", "pinned", self.pin("maps", "sp_bans4"), "key",
                     *key("203.0.113.0/24"), "value", *["0"] * 8)
        self.bpftool("map", "update", "pinned", self.pin("maps", "sp_bans4"), "key",
                     *key("198.51.100.7/32"), "value", "1", *["0"] * 7)  # never
        found = self.drift()["map"]
        self.assertEqual([one["about"] for one in found], ["bans"])
        self.assertEqual([d.partition(" instead")[0] for d in sorted(found[0]["details"])],
                         ["different: 198.51.100.7: never banned",
                          "missing: 2001:db8:7::7", "too many: 203.0.113.0/24, for ever"])
        self.guard.stop()
        self.guard.start(self.file)
        self.assert_none("when a daemon has taken them over")
        for banned in ("198.51.100.7", "2001:db8:7::7", "198.51.100.0/25"):
            self.assertEqual(self.guard.call("unban", banned).returncode, 0)

    def test_programs_of_others_at_the_cgroup_are_named_and_below_it_noted(self):
        pins = os.path.join(self.lab.bpffs, "others")
        self.host.run("bpftool", "prog", "loadall", foreign("cgroup", self.lab.directory), pins)
        top, below = self.lab.cgroup.directory, self.lab.cgroup.child("a.slice").directory
        self.host.run("bpftool", "cgroup", "attach", below, "egress", "pinned", pins + "/all",
                      "multi")
        self.addCleanup(self.host.run, "bpftool", "cgroup", "detach", below, "egress", "pinned",
                        pins + "/all")
        done = self.guard.call("drift")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn(f"{below}: program", done.stderr)
        self.host.run("bpftool", "cgroup", "attach", top, "connect4", "pinned", pins + "/four",
                      "multi")
        one = self.drift()["foreign"][0]
        self.assertRegex(one["text"], r'\("four"\) of somebody else at connect4, behind ours')
        self.host.run("bpftool", "cgroup", "detach", top, "connect4", "pinned", pins + "/four")
        self.assertEqual(self.drift(), {})

    def test_a_kept_policy_that_was_changed_is_told(self):
        number = json.loads(self.guard.call("history", "--json").stdout)["policies"][0]["number"]
        kept = os.path.join(self.guard.directory, "state", "policies", f"{number:06}",
                            "policy.toml")
        with open(kept, "r+", encoding="utf-8") as file:
            text = file.read()
            file.write("# by somebody\n")
        one = self.drift(entries=0)["record"][0]
        with open(kept, "w", encoding="utf-8") as file:
            file.write(text)
        self.assertIn("is not what was kept", one["text"])
        self.assert_none("when it is what it was")

    def test_an_interface_that_comes_is_no_drift_once_the_daemon_has_followed(self):
        only = RULES + rule("ingress", "there", both(PEER), ports=[82]) + 'interfaces = ["eth0"]\n'
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.policy(only))
        self.assert_clean_again()
        self.host.ip("link add more0 type veth peer name more1", "link set more0 up",
                     "addr add 10.77.0.1/24 dev more0")
        self.assertTrue(eventually(lambda: not self.drift()), self.drift())
        self.host.ip("link del more0")
        self.assertTrue(eventually(lambda: not self.drift()), self.drift())
        self.guard.write_policy(self.policy(RULES), "policy.toml")
        self.assert_clean_again()

    def test_pins_that_others_may_touch_are_named_with_what_mends_them(self):
        cells = self.pin("maps", "sp_cells")
        os.chmod(cells, 0o666)
        os.chown(self.pin("links", "connect4"), 12345, 0)
        os.chmod(self.guard.pins, 0o755)
        found = self.drift()["pin"]
        self.assertEqual({one["about"] for one in found},
                         {cells, self.pin("links", "connect4"), self.guard.pins})
        for one in found:
            self.host.run(*one["next"].split())
        self.assert_none("when they are mended")

    def event(self, days, **facts):
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - days * 86400))
        return json.dumps({"v": 1, "seq": 1, "ts": when + ".000000Z", **facts},
                          separators=(",", ":")) + "\n"

    def test_the_weekly_review_tells_the_week_from_the_one_before(self):
        drop = {"event": "drop", "direction": "ingress", "reason": "no-rule", "proto": "tcp"}
        log = self.guard.events_file
        with open(log + ".1", "w", encoding="utf-8") as file:
            file.write(self.event(20, **drop, src="192.0.2.20", repeats=9000))
            file.write(self.event(10, **drop, src="192.0.2.7", repeats=5))
            file.write(self.event(3, **drop, src="192.0.2.7", repeats=40))
            file.write(self.event(3, **drop, src="2001:db8:7::1", repeats=17))
            file.write(self.event(2, **drop, src="2001:db8:7::2", repeats=4))
            file.write(self.event(2, event="ban", network="192.0.2.7", src="192.0.2.7",
                                  origin="hand", seconds=60))
            file.write(self.event(1, event="lost", reason="ring-full", count=12))
            file.write(self.event(1, **{**drop, "direction": "egress"}, dst="203.0.113.9",
                                  dst_port=443, comm="évil\n" + "x" * 200, repeats=3))
            file.write("no event at all\n")
        done = self.guard.call("drift", "--weekly")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout
        self.assertTrue(text.isascii())
        self.assertLessEqual(max(map(len, text.splitlines())), 78)
        self.assertRegex(text, r"(?m)^ +40     192\.0\.2\.7$")
        self.assertRegex(text, r"(?m)^ +21 new 2001:db8:7::/64$")
        self.assertNotIn("192.0.2.20", text)
        self.assertIn("5 in the week before", text)
        self.assertRegex(text, r"(?m)^ +3 new 203\.0\.113\.9 port 443, by$")
        self.assertRegex(text, r"(?m)^ +12 ring-full$")
        self.assertRegex(text, r"\b[1-9]\d* made this week")
        self.assertIn('ingress "web"', text)
        self.assertRegex(text, r"policy \d+ applied by root")
        self.assertIn("1 lines were no events", text)
        self.assertIn("Drift\n-----\nnone\n", text)
        self.assertEqual(json.loads(self.guard.call("drift", "--weekly", "--json").stdout)
                         ["arriving"]["before"], 5)
        # Names of logrotate's, as the example that is shipped gives them.
        with open(log + "-20260102-1767312000", "w", encoding="utf-8") as file:
            file.write(self.event(4, **drop, src="192.0.2.99", repeats=500))
        with open(log + "-20260103-1767398400.xz", "w", encoding="utf-8") as file:
            file.write("compressed")
        text = self.guard.call("drift", "--weekly").stdout
        self.assertRegex(text, r"(?m)^ +500 new 192\.0\.2\.99$")
        self.assertRegex(text, r"(?m)^ +40     192\.0\.2\.7$")
        self.assertIn("1 files of these two weeks could not be read", text)
        for end in ("-20260102-1767312000", "-20260103-1767398400.xz"):
            os.utime(log + end, (1, time.time() - 15 * 86400))  # of before, by its last line
        text = self.guard.call("drift", "--weekly").stdout
        self.assertNotIn("192.0.2.99", text)
        self.assertNotIn("could not be read", text)
        os.chmod(self.pin("maps", "sp_cells"), 0o666)
        done = self.guard.call("drift", "--weekly")
        os.chmod(self.pin("maps", "sp_cells"), 0o600)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod 0600", done.stdout)


class Killed(Drift):
    def setUp(self):
        self.start()

    def test_nothing_is_told_of_what_nobody_changed(self):
        self.assert_none("after a start")
        more = RULES + rule("ingress", "api", both(PEER), ports=[81])
        other = self.guard.write_policy(self.policy(more), "b.toml")
        self.assertEqual(self.guard.call("apply", other, "--force").returncode, 0)
        self.assert_none("after an apply")
        self.assertEqual(self.guard.call("apply", self.file, "--force", "--confirm",
                                         "600s").returncode, 0)
        done = self.guard.call("drift")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("32 maps", done.stderr)  # what the trial falls back to as well
        self.assertEqual(self.guard.call("confirm").returncode, 0)
        self.switch(more)
        self.assert_none("after a reload")
        self.guard.kill()
        self.assert_none("without a daemon")
        self.guard.start(self.file)
        self.assert_none("after a restart that adopted it")

    def test_hooks_that_are_gone_and_programs_of_others_are_named(self):
        self.guard.kill()
        self.bpftool("link", "detach", "pinned", self.pin("links", "connect4"))
        os.unlink(self.pin("links", "sendmsg6"))
        found = self.drift()
        self.assertEqual(sorted((one["about"], one["text"]) for one in found["hook"]),
                         [("connect4", "the link has lost its hook"),
                          ("sendmsg6", "it is not pinned, and so not attached")])
        self.assertEqual(set(found), {"hook"})
        self.guard.start(self.file)
        self.assert_none("once a daemon has put them back")
        self.guard.kill()
        self.host.run("tc", "qdisc", "replace", "dev", "eth0", "clsact")
        self.host.run("tc", "filter", "add", "dev", "eth0", "egress", "prio", "7", "bpf", "da",
                      "obj", foreign("filter", self.lab.directory), "sec", "tc")
        found = self.drift()
        self.assertEqual(set(found), {"foreign"})
        self.assertIn('of somebody else at clsact egress', found["foreign"][0]["text"])
        self.host.run("tc", "filter", "del", "dev", "eth0", "egress", "prio", "7")
        self.assert_none("when the filter is gone")
        self.bpftool("link", "detach", "pinned", self.pin("links", "xdp-native-eth0"))
        self.host.ip(f"link set dev eth0 xdpdrv obj {foreign('nic', self.lab.directory)} sec xdp")
        found = self.drift()
        self.assertEqual(found["hook"][0]["about"], "xdp-native-eth0")
        self.assertRegex(found["foreign"][0]["text"], "at native XDP, where ours should be")
        off = found["foreign"][0]["next"].partition("to remove it: ip ")[2]
        self.host.ip(off)
        self.assertEqual(set(self.drift()), {"hook"})

    def test_what_cannot_be_compared_is_an_error_with_a_next_step(self):
        def refused(*words, because):
            done = self.guard.call("drift", *words)
            self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
            self.assertIn(because, done.stderr)
            self.assertIn("next: ", done.stderr)
        refused("--state-dir", "/dev/null", because="no record of what is enforced")
        refused("--bpffs", os.path.join(self.lab.bpffs, "nobody"), because="no wall stands")
        self.guard.kill()
        os.rename(self.pin("maps", "sp_slots"), self.pin("maps", "sp_elsewhere"))
        refused(because="half of the pins")
        os.rename(self.pin("maps", "sp_elsewhere"), self.pin("maps", "sp_slots"))
        os.rename(self.pin("maps", "sp_users"), self.pin("maps", "sp_elsewhere"))
        self.assertEqual({one["about"] for one in self.drift()["pin"]},
                         {self.pin("maps", "sp_users"), self.pin("maps", "sp_elsewhere")})
        os.rename(self.pin("maps", "sp_elsewhere"), self.pin("maps", "sp_users"))
        os.rename(self.pin(), os.path.join(self.guard.pins, "v0"))
        refused(because="another version")
        os.rename(os.path.join(self.guard.pins, "v0"), self.pin())
        done = self.host.run("sh", "-c", f"SALLYPORT_BPFFS={self.guard.pins} setpriv --reuid 65534 "
                             f"--clear-groups {self.guard.binary} drift 2>&1; echo $?")
        self.assertIn("run it as root", done)
        self.assertTrue(done.endswith("\n3\n"), done)
        self.guard.start(self.file)
        self.end()
        done = self.guard.call("drift", "--weekly")
        self.assertEqual(done.returncode, 3)
        self.assertIn("could not be looked for: no wall stands", done.stdout)


if __name__ == "__main__":
    unittest.main()
