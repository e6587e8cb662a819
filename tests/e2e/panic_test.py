# SPDX-License-Identifier: Apache-2.0
"""Everything is shut at one stroke, and what was in force comes back as it was."""
import json
import os
import re
import shutil
import subprocess
import unittest

from harness import FIRST, HOST, LAST, PEER, both, each_family, eventually, rule
from policy_support import Policies
from ssh_support import WithSshd

RULES = (rule("ingress", "web", "any", ports=[80]) + rule("ingress", "ssh", "any", ports=[22])
         + rule("egress", "out", "any", ports=[443]))
TABLES = ("sp_ports", "sp_cells", "sp_v4_bits", "sp_v6_bits", "sp_v4_trie", "sp_v6_trie",
          "sp_rules", "sp_limits", "sp_cg_steps", "sp_cg_states", "sp_users")
ADMIN = f'[zones]\nadmin = {json.dumps(both(FIRST))}\n'


class Panics(Policies):
    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=80)
        cls.there.call("listen", port=443)

    def ways(self, family):
        """In, out and loopback."""
        return (self.into(80, family, timeout=0.4), self.out(443, family, timeout=0.4),
                self.here.result("tcp", dst={4: "127.0.0.1", 6: "::1"}[family], port=80))


class Shut(Panics):
    @each_family
    def test_nothing_comes_in_or_goes_out_but_loopback_until_it_is_off(self, family):
        self.begin(RULES)
        before = self.guard.status()
        held = self.there.call("hold", dst=HOST[family], port=80)
        self.assertEqual(self.ways(family), ("open", "open", "open"))
        code, answer = self.change("panic", "--message", "odd traffic")
        self.assertEqual((code, answer["changed"], answer["seconds"], answer["open"]),
                         (0, True, None, []))
        self.assertEqual(self.ways(family), ("timeout", "eperm", "open"))
        self.assertEqual(self.there.result("exchange", handle=held["handle"], timeout=0.5),
                         "timeout")
        status = self.guard.status()
        self.assertEqual(status["trial"], {"seconds_left": None, "panic": True,
                                           "fallback_generation": before["generation"]})
        self.assertIn("PANIC", self.guard.call("status").stdout)
        self.expect_event(event="policy", state="panic")
        for verb in (["panic"], ["confirm"], ["rollback"]):
            self.assertEqual(self.change(*verb)[0], 1, verb)
        self.assertNotEqual(self.change("apply", self.file)[0], 0)
        self.assertEqual(self.change("panic", "--off")[0], 0)
        after = self.guard.status()
        for key in ("generation", "mode", "policy", "trial"):
            self.assertEqual(after[key], before[key])
        self.assertEqual(self.ways(family), ("open", "open", "open"))
        self.assertEqual(self.change("panic", "--off")[0], 1)
        history = self.change("history")[1]["policies"]
        self.assertEqual([entry["outcome"] for entry in history], ["applied"])

    def dump(self, *which):
        return subprocess.run(["bpftool", "map", "dump", *which], capture_output=True, text=True,
                              timeout=20, check=True).stdout

    def maps(self):
        """The control word, and all that its slot has in any map, by the maps' names."""
        path = os.path.join(self.guard.pins, "v1", "maps")
        control = self.dump("pinned", os.path.join(path, "sp_control"))
        word = json.loads(control)[0]["value"]["word"] if control.startswith("[") else int(
            "".join(reversed(control.split("value:")[1].split()[:8])), 16)
        found = {"word": word}
        for name in TABLES:
            outer = self.dump("pinned", os.path.join(path, name))
            inner = re.search(rf"key:\s+{word & 0xff:02x} 00 00 00\s+(inner_map_id|value):\s+(.*)",
                              outer)
            self.assertIsNotNone(inner, f"{name}: {outer}")
            number = int(inner[2]) if inner[1] != "value" else int.from_bytes(
                bytes.fromhex(inner[2]), "little")
            found[name] = number, self.dump("id", str(number))
        slots = json.loads(subprocess.run(
            ["bpftool", "-j", "map", "dump", "pinned", os.path.join(path, "sp_slots")],
            capture_output=True, text=True, timeout=20, check=True).stdout)
        found["sp_slots"] = slots[word & 0xff]
        return found

    def test_what_was_in_force_is_there_again_bit_by_bit(self):
        self.begin(RULES, zones=ADMIN)
        before = self.maps()
        self.assertGreater(len(before["sp_rules"][1]), 20)
        self.assertEqual(self.guard.call("drift").returncode, 0)
        self.assertEqual(self.change("panic")[0], 0)
        shut = self.maps()
        self.assertNotEqual((shut["word"], shut["sp_cells"]), (before["word"], before["sp_cells"]))
        self.assertEqual(self.change("panic", "--off")[0], 0)
        self.assertEqual(self.maps(), before)
        done = self.guard.call("drift")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_next_daemon_knows_it_from_the_kernel_where_no_disk_says_so(self):
        for lost in ("enforced.next.json", None):
            self.begin(RULES)
            self.assertEqual(self.change("panic")[0], 0)
            self.guard.kill()
            if lost:
                os.remove(self.state(lost))  # a disk was full
            else:
                shutil.rmtree(self.state())
            self.assertTrue(self.guard.status()["trial"]["panic"])
            self.guard.start(self.file)
            self.assertTrue(self.guard.status()["trial"]["panic"])
            self.host.ip("link add spare0 type veth peer name spare1")  # nor does a newcomer end it
            self.guard.call("guard", "spare0")
            self.guard.reload()
            for verb in (["confirm"], ["rollback"], ["panic"]):
                self.assertEqual(self.change(*verb)[0], 1, verb)
            self.assertEqual(self.into(80, 4, timeout=0.4), "timeout")
            self.host.run("ip", "link", "del", "spare0")
            self.assertEqual(self.change("panic", "--off")[0], 0)
            self.assertEqual(self.ways(4), ("open", "open", "open"))
            self.assertIsNone(self.guard.status()["trial"])

    @each_family
    def test_it_ends_by_itself_with_nobody_awake(self, family):
        self.begin(RULES)
        self.assertEqual(self.change("panic", "--for", "6s")[0], 0)
        self.guard.kill()
        self.assertEqual(self.into(80, family, timeout=0.4), "timeout")
        self.assertTrue(eventually(lambda: self.into(80, family, timeout=0.4) == "open"))
        self.guard.start(self.file)
        self.assertEqual(self.ways(family), ("open", "open", "open"))

    def test_without_a_daemon_it_goes_on_and_off(self):
        self.begin(RULES)
        self.guard.kill()
        self.assertEqual(self.change("panic")[0], 0)
        self.assertEqual(self.into(80, 4, timeout=0.4), "timeout")
        self.guard.start(self.file)
        self.assertEqual(self.into(80, 6, timeout=0.4), "timeout")
        self.assertTrue(self.guard.status()["trial"]["panic"])
        self.guard.kill()
        self.assertEqual(self.change("panic", "--off")[0], 0)
        self.assertEqual(self.into(80, 4), "open")

    def test_it_ends_a_trial_and_shuts_a_host_that_only_observes(self):
        self.begin(RULES, mode="observe")
        self.assertEqual(self.change("apply", self.file, "--confirm", "60s")[0], 0)
        self.assertEqual(self.change("panic")[0], 0)
        self.assertEqual(self.into(80, 4, timeout=0.4), "timeout")
        self.assertEqual(self.change("panic", "--off")[0], 0)
        status = self.guard.status()
        self.assertEqual((status["generation"], status["mode"], status["trial"]),
                         (1, "observe", None))

    def test_what_is_no_time_is_a_matter_of_usage(self):
        self.begin(RULES)
        for arguments in (["--for", "soon"], ["--for", "0s"], ["--off", "--for", "1m"], ["x"]):
            self.assertEqual(self.guard.call("panic", *arguments).returncode, 2, arguments)
        self.assertEqual(self.into(80, 4), "open")


class Admin(WithSshd, Panics):
    @each_family
    def test_the_zone_admin_may_still_come_by_ssh_and_nobody_else(self, family):
        self.begin(RULES, zones=ADMIN)
        self.assertEqual(self.change("panic")[1]["open"], ["panic: admin"])
        self.assertEqual(self.into(22, family, op="knock", src=FIRST[family]), "open")
        self.assertEqual(self.into(22, family, op="knock", src=LAST[family], timeout=0.4),
                         "timeout")
        self.assertEqual(self.into(80, family, src=FIRST[family], timeout=0.4), "timeout")

    @each_family
    def test_whose_session_calls_it_stays_in(self, family):
        self.begin(RULES)
        done = self.command_over_ssh(family, "panic", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["open"],
                         [f"panic: session of {PEER[family]}, port 22"])
        self.assertEqual(self.into(80, family, timeout=0.4), "timeout")
        self.assertEqual(self.command_over_ssh(family, "panic", "--off").returncode, 0)
        self.assertEqual(self.into(80, family), "open")


if __name__ == "__main__":
    unittest.main()
