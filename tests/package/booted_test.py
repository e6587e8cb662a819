# SPDX-License-Identifier: Apache-2.0
"""The package under systemd, which is process 1 of a root of its own: boots, the service, its end."""
import contextlib
import json
import os
import shutil
import time
import unittest

import booted
import package
from clean_root import HOST
from slow import patient

SHUT = 1.5  # seconds without an answer
SERVICE, RESTORE, NETWORK = "sallyport.service", "sallyport-restore.service", "test-network.service"
POLICY = """schema = 1
[host]
interfaces = ["eth0"]
mode = "enforce"
[zones]
admin = ["10.1.0.0/24", "fd00:1::/64"]
[[ingress]]
name = "ssh"
from = "admin"
proto = "tcp"
ports = [22]
"""
WEB = POLICY + '[[ingress]]\nname = "web"\nfrom = "any"\nproto = "tcp"\nports = [80]\n'


class Booted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        depends = package.depends()
        cls.machine = booted.Booted(booted.base(depends, package.directory("booted-base")),
                                    package.directory("booted"))
        shutil.copy(package.first(), cls.machine.path("/srv/sallyport.deb"))

    @classmethod
    def tearDownClass(cls):
        cls.machine.close()

    def setUp(self):
        self.addCleanup(self.machine.halt)
        self.machine.chroot("dpkg", "--force-unsafe-io", "--install", "/srv/sallyport.deb")
        for name in ("/var/lib/sallyport", "/var/log/sallyport",
                     "/var/log/journal", "/etc/systemd/system/sallyport.service.d"):
            shutil.rmtree(self.machine.path(name), ignore_errors=True)
        self.write(POLICY)

    def write(self, text, name="/etc/sallyport/policy.toml"):
        os.makedirs(os.path.dirname(self.machine.path(name)), exist_ok=True)
        with open(self.machine.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def command(self, *arguments, status=0):
        done = self.machine.run(*arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def until(self, holds, what):
        end = time.monotonic() + patient(30)
        while not holds():
            self.assertLess(time.monotonic(), end, what + "\n" + self.machine.journal(SERVICE))
            time.sleep(0.1)

    def assert_ports(self, ssh, web):
        for port, expected in ((22, ssh), (80, web)):
            found = self.machine.ports(port, patience=SHUT if expected == "shut" else patient(20))
            self.assertEqual(found, {f"{host} {port}": expected for host in HOST},
                             self.machine.journal(SERVICE))

    def assert_active(self, unit=SERVICE):
        self.assertEqual(self.machine.shown(unit, "ActiveState")["ActiveState"], "active",
                         self.machine.journal(unit))

    def main_pid(self):
        return self.machine.shown(SERVICE, "MainPID")["MainPID"]

    def assert_wall_before_network(self):
        with open(f"/proc/{self.machine.init}/root/run/at-network", encoding="utf-8") as found:
            self.assertIn("prog/xdp", found.read())
        wall, network = (int(self.machine.shown(unit, f"{when}Monotonic")[f"{when}Monotonic"])
                         for unit, when in ((RESTORE, "ExecMainExitTimestamp"),
                                            (NETWORK, "ExecMainStartTimestamp")))
        self.assertTrue(0 < wall <= network, (wall, network))

    @contextlib.contextmanager
    def shut_meanwhile(self):
        """Nothing refused gets in, from before to after."""
        self.assert_ports("open", "shut")
        yield
        self.assert_ports("open", "shut")

    def test_each_boot_has_the_wall_before_the_network(self):
        for nth in ("the first", "the second"):
            self.machine.boot()
            self.assert_active()
            self.assert_active(RESTORE)
            self.assert_wall_before_network()
            status = self.machine.status()
            self.assertEqual((status["state"], status["why"]), ("protected", None), nth)
            self.assert_ports("open", "shut")
            self.machine.halt()
        self.write(WEB)  # a changed file waits to be applied
        self.machine.boot()
        self.assert_wall_before_network()
        self.assert_ports("open", "shut")

    def test_the_service_does_its_work_within_its_bounds(self):
        self.machine.boot()
        with open(f"/proc/{self.machine.init}/root/proc/{self.main_pid()}/status",
                  encoding="ascii") as file:
            self.assertIn("Seccomp:\t2", file.read())
        self.write(WEB, "/root/web.toml")  # home directories are there to be read
        self.command("sallyport", "apply", "/root/web.toml")
        self.assert_ports("open", "open")
        self.command("sallyport", "ban", "10.1.0.77", "--for", "1h")
        self.assertIn("10.1.0.77", self.command("sallyport", "bans"))
        self.command("systemctl", "reload", "sallyport")
        self.until(lambda: self.machine.status()["generation"] > 2, "the file was not loaded again")
        self.assert_ports("open", "shut")
        events = self.machine.path("/var/log/sallyport/events.jsonl")
        self.until(lambda: '"dst_port":80' in open(events, encoding="utf-8").read(), "no event")
        self.assertNotRegex(self.machine.journal(SERVICE), "(?i)not permitted|denied|read-only")
        self.assertEqual(self.machine.shown(SERVICE, "NRestarts")["NRestarts"], "0")

    def test_events_are_in_the_journal_with_their_fields_and_are_explained(self):
        self.write("SALLYPORT_OPTIONS=--journal\n", "/etc/default/sallyport")
        self.addCleanup(os.unlink, self.machine.path("/etc/default/sallyport"))
        self.machine.boot()
        self.assert_ports("open", "shut")

        def entries(*words):
            said = self.machine.run("journalctl", "--no-pager", "-t", "sallyport", *words).stdout
            return [line for line in said.splitlines() if line]
        # Over IPv4: which of the families knocked first is chance.
        refused = ("SALLYPORT_EVENT=drop", "SALLYPORT_DST_PORT=80", "SALLYPORT_SRC=10.1.0.2")
        self.until(lambda: entries("-o", "cat", *refused), "no entry")
        entry = json.loads(entries("-o", "json", *refused)[0])
        self.assertEqual((entry["MESSAGE_ID"], entry["SALLYPORT_REASON"], entry["PRIORITY"],
                          entry["_SYSTEMD_UNIT"]),
                         ("30b9c597c98d448cb7ac819361a7bd4f", "no-rule", "6", SERVICE))
        self.assertIn("drop no-rule tcp 10.1.0.2:", entry["MESSAGE"])
        self.machine.run("journalctl", "--update-catalog")
        self.assertIn("with the reason", " ".join(entries("-x", *refused)))

    def test_a_stop_leaves_the_wall_and_a_start_adopts_it(self):
        self.machine.boot()
        with self.shut_meanwhile():
            self.command("systemctl", "stop", "sallyport")
            self.assertEqual(self.main_pid(), "0")
            self.assert_ports("open", "shut")
            self.assertEqual(self.machine.status()["state"], "protected")
            self.command("systemctl", "start", "sallyport")
        self.assertIn("adopted the standing wall", self.machine.journal(SERVICE))

    def test_who_is_killed_or_hangs_is_started_again_behind_a_wall_that_stands(self):
        self.write("[Service]\nWatchdogSec=6\n", "/etc/systemd/system/sallyport.service.d/quick.conf")
        self.machine.boot()
        for signal in ("KILL", "STOP"):  # the second is the watchdog's to find
            before = self.main_pid()
            with self.shut_meanwhile():
                self.command("systemctl", "kill", "--kill-whom=main", "--signal=" + signal, "sallyport")
                self.until(lambda: self.main_pid() not in ("0", before), f"not begun again after {signal}")
                self.until(lambda: self.machine.shown(SERVICE, "ActiveState")["ActiveState"] == "active",
                           f"not ready again after {signal}")
        self.assertIn("Watchdog timeout", self.machine.journal(SERVICE))

    def test_down_opens_the_host_and_is_not_undone(self):
        self.machine.boot()
        self.command("sallyport", "down", "--verify")
        self.until(lambda: self.machine.shown(SERVICE, "ActiveState")["ActiveState"] == "inactive",
                   "it is still there, or failed")
        time.sleep(1.5)  # RestartSec and more
        self.assertEqual(self.main_pid(), "0")
        self.assert_ports("open", "open")

    def test_a_power_cut_ends_a_trial_and_keeps_what_was_confirmed(self):
        self.machine.boot()
        self.write(WEB)
        self.command("sallyport", "apply", "/etc/sallyport/policy.toml", "--confirm", "10m")
        self.assert_ports("open", "open")
        self.machine.halt()
        self.machine.boot()
        self.assert_wall_before_network()
        self.assert_ports("open", "shut")
        self.command("sallyport", "apply", "/etc/sallyport/policy.toml", "--confirm", "10m")
        self.command("sallyport", "confirm")
        self.machine.halt()
        self.machine.boot()
        self.assert_ports("open", "open")

    def test_what_cannot_be_loaded_shuts_the_host_but_for_the_admins_and_the_console_says_so(self):
        self.machine.boot()
        self.machine.halt()
        policies = self.machine.path("/var/lib/sallyport/policies")
        broken = 0
        for place, _, names in os.walk(policies):
            for name in names:
                if name.endswith(".toml"):
                    with open(os.path.join(place, name), "w", encoding="utf-8") as file:
                        file.write("schema = [[[\n")
                    broken += 1
        self.assertGreater(broken, 0)
        self.machine.boot()
        self.assert_wall_before_network()
        self.assert_ports("open", "shut")
        self.assertEqual(self.machine.status()["policy"]["file"], "(fail-closed)")
        said = self.machine.said_on_console()
        self.assertIn("THE LAST GOOD POLICY CANNOT BE USED", said)
        self.assertIn("from the zone admin", said)

    def test_a_first_policy_with_errors_is_told_and_not_tried_for_ever(self):
        self.write("schema = [[[\n")
        self.machine.boot()
        found = self.machine.shown(SERVICE, "ActiveState", "ExecMainStatus", "NRestarts")
        self.assertEqual(found, {"ActiveState": "failed", "ExecMainStatus": "2", "NRestarts": "0"})
        self.assertIn("policy.toml:1:", self.machine.journal(SERVICE))
        self.assertEqual(self.machine.status()["state"], "not-protected")
        self.write(POLICY)
        self.command("systemctl", "start", "sallyport")
        self.assert_ports("open", "shut")

    def test_the_review_of_the_week_goes_into_the_journal(self):
        self.machine.boot()
        self.assertEqual(self.machine.shown("sallyport-review.timer", "ActiveState")["ActiveState"],
                         "active")
        self.command("systemctl", "start", "sallyport-review.service")
        said = self.machine.journal("sallyport-review.service")
        self.assertRegex(said, "(?i)rules")
        self.assertNotRegex(said, "(?i)not permitted|permission denied")

    def test_a_removal_under_systemd_leaves_the_wall_and_an_installation_takes_it_up(self):
        self.machine.boot()
        with self.shut_meanwhile():
            said = self.machine.run("dpkg", "--remove", "sallyport")
            self.assertIn("the wall still stands", said.stderr)
            self.assert_ports("open", "shut")
            self.command("dpkg", "--force-unsafe-io", "--install", "/srv/sallyport.deb")
            self.until(lambda: self.machine.shown(SERVICE, "ActiveState")["ActiveState"] == "active",
                       "the installation did not start it")
        self.assertIn("adopted the standing wall", self.machine.journal(SERVICE))


if __name__ == "__main__":
    unittest.main()
