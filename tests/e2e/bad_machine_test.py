# SPDX-License-Identifier: Apache-2.0
"""A machine that is not as it should be: a clear word, and nothing half attached."""
import os
import shutil
import subprocess
import unittest

from foreign import foreign
from harness import HOST, PEER, E2e, NotReady, both, rule

RULES = rule("ingress", "web", both(PEER), ports=[80])


class BadMachine(E2e):
    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        cls.there.call("listen", port=444)

    def refused(self, code, *words, **options):
        """The daemon must not start: that code, these words, and no trace of it."""
        with self.assertRaises(NotReady) as caught:
            self.begin(RULES, **options)
        self.assertEqual(caught.exception.code, code, caught.exception.output)
        for word in words:
            self.assertIn(word, caught.exception.output)
        self.assert_untouched()
        return caught.exception.output

    def assert_untouched(self):
        for family in (4, 6):
            self.assertEqual((self.into(81, family), self.out(444, family)), ("open", "open"))
        left = [f for _, _, files in os.walk(self.guard.pins) for f in files]
        self.assertEqual(left, [])
        self.assertEqual(self.host.run("tc", "filter", "show", "dev", "eth0", "egress").strip(), "")

    def test_a_nic_that_is_not_there(self):
        self.refused(3, "eth9", interfaces=("eth9",))

    def test_one_of_two_nics_missing_attaches_neither(self):
        self.refused(3, "eth9", interfaces=("eth0", "eth9"))

    def test_a_cgroup_that_is_not_there(self):
        file = self.guard.write_policy(self.policy(RULES).replace(
            self.lab.cgroup.path, "/no-such-cgroup"))
        with self.assertRaises(NotReady) as caught:
            self.guard.start(file)
        self.assertEqual(caught.exception.code, 3)
        self.assertIn("/no-such-cgroup", caught.exception.output)
        self.assert_untouched()

    def test_a_policy_that_others_can_write(self):
        for mode in (0o666, 0o620):
            file = self.guard.write_policy(self.policy(RULES), mode=mode)
            with self.assertRaises(NotReady) as caught:
                self.guard.start(file)
            self.assertEqual(caught.exception.code, 2)
            self.assertIn(file, caught.exception.output)
            self.assertIn("chmod", caught.exception.output)
            self.assert_untouched()

    def test_a_policy_with_an_error(self):
        file = self.guard.write_policy(self.policy(RULES) + "[[ingress]]\n")
        with self.assertRaises(NotReady) as caught:
            self.guard.start(file)
        self.assertEqual(caught.exception.code, 2)
        self.assertRegex(caught.exception.output, r"policy\.toml:\d+:\d+: error: ")
        self.assert_untouched()

    def test_no_policy_file(self):
        with self.assertRaises(NotReady) as caught:
            self.guard.start("/nonexistent.toml")
        self.assertIn(caught.exception.code, (2, 3))
        self.assertIn("/nonexistent.toml", caught.exception.output)

    def test_a_nic_that_holds_another_xdp_program(self):
        self.host.ip(f"link set dev eth0 xdp obj {foreign('nic', self.lab.directory)} sec xdp")
        self.addCleanup(self.host.ip, "link set dev eth0 xdp off")
        before = self.host.ip_json("link", "show", "dev", "eth0")[0]["xdp"]["prog"]["id"]
        self.refused(3, "eth0", "XDP")
        after = self.host.ip_json("link", "show", "dev", "eth0")[0]["xdp"]["prog"]["id"]
        self.assertEqual(after, before, "somebody else's program was replaced")

    def test_a_pin_directory_that_is_no_bpffs(self):
        pins, environment = self.guard.pins, self.guard.environment
        plain = os.path.join(self.lab.directory, "plain")
        os.makedirs(plain, exist_ok=True)
        self.guard.environment = {**environment, "SALLYPORT_BPFFS": plain}
        try:
            self.refused(3, plain, "bpf")
        finally:
            self.guard.environment, self.guard.pins = environment, pins

    def test_no_root(self):
        file = self.guard.write_policy(self.policy(RULES))
        binary = os.path.join(self.lab.directory, "sallyport")
        shutil.copy(self.guard.binary, binary)
        for path in (self.lab.directory, self.guard.directory):
            os.chmod(path, 0o755)
        os.chmod(file, 0o644)
        done = subprocess.run(
            self.host.command(["setpriv", "--reuid", "4711", "--regid", "4711", "--clear-groups",
                               "--bounding-set=-all", binary, "run", "-c", file]),
            capture_output=True, text=True, timeout=30, env=self.guard.environment, check=False)
        self.assertIn(done.returncode, (2, 3), done.stderr)
        self.assertRegex(done.stderr, "root|CAP_|permission|Permission")
        self.assert_untouched()

    def test_a_log_directory_that_takes_nothing(self):
        """The wall does not wait for a disk: it stands, and what is lost is said."""
        plain = os.path.join(self.lab.directory, "not-a-directory")
        with open(plain, "w", encoding="utf-8"):
            pass
        environment = self.guard.environment
        self.guard.environment = {**environment, "SALLYPORT_LOG_DIR": plain + "/log"}
        try:
            self.begin(RULES)
            self.assertEqual((self.into(80, 4), self.into(81, 4)), ("open", "timeout"))
            self.expect_event(dst_port=81, src=PEER[4])
            self.assertIn(plain, self.guard.said())
        except NotReady as refused:
            self.fail(f"a log directory is no reason to leave the host open: {refused}")
        finally:
            self.end()
            self.guard.environment = environment

    def test_a_full_disk_loses_lines_and_no_packet(self):
        small = os.path.join(self.lab.directory, "small")
        os.makedirs(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small], check=True,
                       timeout=20)
        environment = self.guard.environment
        self.guard.environment = {**environment, "SALLYPORT_LOG_DIR": small}
        try:
            self.begin(RULES)
            for port in range(7000, 7100):
                self.there.call("udp", dst=HOST[4], port=port, wait=False)
            self.expect_event(dst_port=7099)
            self.assertEqual((self.into(80, 4), self.into(81, 4)), ("open", "timeout"))
            with open(os.path.join(small, "events.jsonl"), encoding="utf-8") as file:
                text = file.read()
            self.assertTrue(text == "" or text.endswith("\n"), "half a line was left")
        finally:
            self.end()
            self.guard.environment = environment
            subprocess.run(["umount", small], check=True, timeout=20)


class NicGone(E2e):
    SECOND_NIC = True

    def test_a_nic_that_goes_while_guarded_is_told_and_the_rest_stands(self):
        self.here.call("listen", port=81)
        self.begin(RULES, interfaces=("eth*",))
        guarded = {h["iface"] for h in self.guard.status()["hooks"] if h["hook"] == "xdp"}
        self.assertEqual(guarded, {"eth0", "eth1"})
        self.peer.ip("link del eth1")
        self.expect_event(event="hook", state="lost", iface="eth1")
        self.assertIsNone(self.guard.process.poll())
        self.assertEqual(self.into(81, 4), "timeout")

    def test_a_nic_that_comes_back_is_guarded_again(self):
        self.here.call("listen", port=82)
        self.begin(RULES, interfaces=("eth*",))
        if self.host.ip_json("link", "show", "dev", "eth1"):
            self.peer.ip("link del eth1")
        self.lab.cable(self.host, "eth1", self.peer, "eth1")
        self.host.address("eth1", "10.3.0.1/24")
        self.peer.address("eth1", "10.3.0.2/24")
        wanted = lambda s: any(h["hook"] == "xdp" and h["iface"] == "eth1" and h["attached"]
                               for h in s["hooks"])  # noqa: E731
        self.assertTrue(wanted(self.guard.wait_status(wanted)), "eth1 came back unguarded")
        self.assertEqual(self.into(82, 4, dst="10.3.0.1", src="10.3.0.2"), "timeout")


if __name__ == "__main__":
    unittest.main()
