# SPDX-License-Identifier: Apache-2.0
"""The systemd units: they are sound, they are shut in, and what they leave is enough."""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

from harness import CUT, HOST, PEER, ROOT, E2e, both, eventually, patient, rule

UNITS = ("sallyport.service", "sallyport-restore.service")
REVIEW = "sallyport-review.service"
TIMER = "sallyport-review.timer"
# Of systemd-analyze security, whose figures docs/operations.md has.
EXPOSURE = {**dict.fromkeys(UNITS, 4.8), REVIEW: 7.1}
PR_SET_MDWE = 65  # Linux 6.3
RULES = (rule("ingress", "web", both(PEER), ports=[80])
         + rule("egress", "https", both(PEER), ports=[443]))


def unit_text(unit, binary="/bin/true"):
    path = os.path.join(ROOT, "tools/packaging/systemd", unit)
    with open(path + ".in" * unit.endswith(".service"), encoding="utf-8") as file:
        return file.read().replace("@CMAKE_INSTALL_FULL_SBINDIR@/sallyport", binary)


def bounding_set(unit):
    line = re.search(r"^CapabilityBoundingSet=(.*)$", unit_text(unit), re.M).group(1)
    return [name.removeprefix("CAP_").lower() for name in line.split()]


def settings(unit, section):
    """Of a section of the unit: each name with all its words."""
    found = {}
    body = unit_text(unit).partition(f"[{section}]\n")[2].partition("\n[")[0]
    for name, value in re.findall(r"^(\w+)=(.*)$", body, re.M):
        found.setdefault(name, []).extend(value.split())
    return found


def bounded(unit):
    """The words that bound a command as the unit does."""
    capabilities = os.environ.get("SP_TEST_CAPS", ",".join(bounding_set(unit))).split(",")
    return ["setpriv", "--bounding-set=-all," + ",".join("+" + c for c in capabilities),
            "--inh-caps=-all", "--no-new-privs", "--"]


class Order(unittest.TestCase):
    """Of a boot: without these lines there is a network before there is a wall."""

    def test_the_wall_of_a_boot_stands_before_any_network(self):
        unit = settings("sallyport-restore.service", "Unit")
        self.assertIn("network-pre.target", unit["Before"])
        # Nobody else may start that target: without this the order is with nothing.
        self.assertIn("network-pre.target", unit["Wants"])
        # Else it is behind sysinit.target, and on cloud hosts behind the network.
        self.assertEqual(unit["DefaultDependencies"], ["no"])
        self.assertEqual(settings("sallyport-restore.service", "Install")["WantedBy"],
                         ["sysinit.target"])

    def test_the_daemon_comes_after_it_and_is_not_ordered_before_the_network(self):
        unit = settings("sallyport.service", "Unit")
        for name in ("Wants", "After"):
            self.assertIn("sallyport-restore.service", unit[name])
        self.assertNotIn("network-pre.target", unit.get("Before", []))
        self.assertNotIn("DefaultDependencies", unit)


@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
class Units(unittest.TestCase):
    def setUp(self):
        self.directory = os.path.join("/tmp", f"sallyport-units-{os.getpid()}")
        os.makedirs(self.directory, exist_ok=True)
        self.addCleanup(shutil.rmtree, self.directory)
        for unit in (*UNITS, REVIEW, TIMER):
            with open(os.path.join(self.directory, unit), "w", encoding="utf-8") as file:
                file.write(unit_text(unit))

    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                              timeout=60, check=False,
                              env={**os.environ, "SYSTEMD_UNIT_PATH": self.directory + ":"})

    def test_systemd_finds_nothing_wrong_with_them(self):
        done = self.analyze("verify", "--man=no",
                            *(os.path.join(self.directory, unit)
                              for unit in (*UNITS, REVIEW, TIMER)))
        wrong = [line for line in (done.stdout + done.stderr).splitlines() if "sallyport" in line]
        self.assertEqual((done.returncode, wrong), (0, []))

    def test_their_exposure_is_no_more_than_what_is_recorded(self):
        for unit, most in EXPOSURE.items():
            done = self.analyze("security", "--offline=true", "--no-pager",
                                os.path.join(self.directory, unit))
            found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
            if found is None and "unrecognized option" in done.stderr:
                self.skipTest("this systemd-analyze knows no --offline")
            self.assertIsNotNone(found, done.stdout + done.stderr)
            self.assertLessEqual(float(found.group(1)), most, unit)

    def test_daemon_and_restore_are_bounded_alike(self):
        self.assertEqual(*(bounding_set(unit) for unit in UNITS))


class ShutIn(E2e):
    """The daemon with the capabilities of its unit, and where the kernel knows it without the
    right to make memory executable."""

    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        cls.there.call("listen", port=443)

    def shut_in(self, unit):
        command = self.guard.command

        def shut_in(*arguments, **options):
            words = command(*arguments, **options)
            at = words.index(self.guard.binary)
            return words[:at] + bounded(unit) + words[at:]
        return shut_in

    def start(self, *flags):
        """Only the daemon is bounded; who commands it is the operator."""
        free, self.guard.command = self.guard.command, self.shut_in(UNITS[0])
        start = self.lab.start
        self.lab.start = lambda *a, **o: start(*a, preexec_fn=no_new_code, **o)
        try:
            self.guard.start(self.file, *flags)
        finally:
            self.guard.command, self.lab.start = free, start

    def test_all_that_it_does_it_can(self):
        type(self).file = self.guard.write_policy(
            self.policy(RULES, interfaces=("eth0", "late0*")), "bounded.toml")
        self.addCleanup(self.guard.down)
        self.start()
        with open(f"/proc/{self.guard.process.pid}/status", encoding="ascii") as file:
            status = file.read()
        self.assertIn("NoNewPrivs:\t1", status)
        self.listen_in()
        for family in (4, 6):
            self.assertEqual((self.into(80, family), self.out(443, family),
                              self.out(444, family)), ("open", "open", "eperm"))
            self.assertIn(self.into(81, family), CUT)
        dropped = self.expect_event(event="drop", dst_port=444)
        self.assertTrue({"comm", "exe", "unit"} <= set(dropped), dropped)  # of a process freer than it
        status = self.guard.status()
        self.assertEqual((status["state"], status["why"]), ("protected", None))
        held = {f: self.there.call("hold", dst=HOST[f], port=80)["handle"] for f in (4, 6)}
        for family in (4, 6):
            self.assertEqual(self.guard.call("ban", PEER[family]).returncode, 0)
            self.assertEqual(self.into(80, family), "timeout")
            self.assertNotEqual(self.there.result("exchange", handle=held[family]), "open")
            self.assertEqual(self.guard.call("unban", PEER[family]).returncode, 0)
        other = self.guard.write_policy(self.policy(
            rule("ingress", "api", both(PEER), ports=[81])), "other.toml")
        self.assertEqual(self.guard.call("apply", other, "--confirm", "60s").returncode, 0)
        self.assertEqual((self.into(80, 4), self.into(81, 6)), ("timeout", "open"))
        self.assertEqual(self.guard.call("confirm").returncode, 0)
        self.assertIn(self.guard.call("audit", "--json").returncode, (0, 1))
        self.assertEqual(self.guard.call("rollback").returncode, 0)
        self.host.ip("link add late0 type veth peer name late1")
        self.addCleanup(self.host.ip, "link del late0")
        self.guard.wait_status(lambda status: "late0" in {h["iface"] for h in status["hooks"]})
        self.assertNotRegex(self.guard.said(), r"not permitted|Permission denied|Z error |Z crit")
        self.assertEqual(self.guard.stop(), 0)
        self.start()
        self.assertEqual(self.guard.status()["state"], "protected")
        self.assertEqual(self.guard.down().returncode, 0)
        self.assertTrue(eventually(lambda: self.into(82, 4) == "refused"))

    def review(self):
        """What the unit of the review would do."""
        free, self.guard.command = self.guard.command, self.shut_in(REVIEW)
        try:
            return self.guard.call("drift", "--weekly")
        finally:
            self.guard.command = free

    def test_the_review_sees_with_its_own_rights_all_that_it_compares(self):
        type(self).file = self.guard.write_policy(self.policy(RULES), "reviewed.toml")
        self.addCleanup(self.guard.down)
        self.start()
        self.assertEqual(self.guard.call("ban", "198.51.100.7", "--for", "1h").returncode, 0)
        for what in ("a daemon", "none"):
            done = self.review()
            self.assertEqual(done.returncode, 0, f"with {what}: {done.stdout}{done.stderr}")
            self.assertIn("Drift\n-----\nnone\n", done.stdout)
            self.assertNotRegex(done.stdout + done.stderr, r"not permitted|Permission denied")
            self.guard.kill()
        os.unlink(os.path.join(self.guard.pins, "v1", "links", "connect4"))
        done = self.review()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("connect4", done.stdout)

    def test_the_watchdog_hears_of_it_and_not_when_it_hangs(self):
        type(self).file = self.guard.write_policy(self.policy(RULES), "watched.toml")
        self.addCleanup(self.guard.down)
        notice = os.path.join(self.guard.directory, "watchdog")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(notice)
            manager.settimeout(patient(30.0))
            self.guard.process = self.lab.start(
                self.guard.command("run", "-c", self.file), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env={**self.guard.environment, "NOTIFY_SOCKET": notice,
                                                "WATCHDOG_USEC": "600000"})
            heard = [manager.recv(4096).split(b"\n")[0] for _ in range(4)]
            self.assertEqual(heard, [b"READY=1"] + [b"WATCHDOG=1"] * 3)
            self.guard.process.send_signal(signal.SIGSTOP)
            manager.settimeout(1.5)
            with self.assertRaises(socket.timeout):
                for _ in range(4):  # what was sent before
                    manager.recv(4096)
            self.guard.process.send_signal(signal.SIGCONT)
            manager.settimeout(patient(10.0))
            self.assertEqual(manager.recv(4096), b"WATCHDOG=1\n")


def no_new_code():
    ctypes.CDLL(None).prctl(PR_SET_MDWE, 1, 0, 0, 0)  # refused before 6.3: then as it was


if __name__ == "__main__":
    unittest.main()
