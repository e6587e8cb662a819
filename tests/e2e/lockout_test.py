# SPDX-License-Identifier: Apache-2.0
"""A policy that is applied over ssh: it shuts nobody out who could repair it."""
import json
import os
import shutil
import subprocess
import unittest

from harness import FIRST, PEER, E2e, both, each_family, eventually, rule
from ssh_support import WithSshd

OPEN = rule("ingress", "ssh", "any", ports=[22])
SHUT = rule("ingress", "web", "any", ports=[80])


class OverSsh(WithSshd, E2e):
    def file_of(self, rules, **options):
        return self.guard.write_policy(self.policy(rules, **options), "next.toml")

    def apply(self, family, rules, *flags, before=(), **options):
        done = self.command_over_ssh(family, "apply", self.file_of(rules, **options), "--json",
                                     *flags, before=before)
        return done.returncode, json.loads(done.stdout), done.stderr

    def names(self):
        return [found["name"] for found in self.guard.status()["rules"]]


class Lockout(OverSsh):
    @each_family
    def test_one_that_shuts_the_caller_out_is_refused(self, family):
        self.begin(OPEN)
        for rules in (SHUT, rule("ingress", "ssh", [FIRST[family]], ports=[22]),
                      OPEN + f'[[deny]]\nname = "not him"\ndirection = "ingress"\nfrom = ["{PEER[family]}"]\nports = [22]\n'):
            code, answer, _ = self.apply(family, rules)
            self.assertEqual((code, answer["changed"]), (1, False), answer)
            self.assertIn(PEER[family], answer["shut"][0])
            self.assertIn(":22 on eth0", answer["shut"][0])
            self.assertTrue(any(PEER[family] in line and ":22 (" in line
                                for line in answer["would_cut"]["connections"]), answer)
        self.assertEqual((self.names(), self.guard.status()["generation"]), (["ssh"], 1))

    @each_family
    def test_one_that_leaves_him_in_is_taken(self, family):
        self.begin(OPEN)
        code, answer, _ = self.apply(family, rule("ingress", "admin", both(PEER), ports=[22]))
        self.assertEqual((code, answer["changed"], self.names()), (0, True, ["admin"]))

    @each_family
    def test_without_the_variable_the_connection_of_sshd_tells(self, family):
        self.begin(OPEN)
        code, answer, _ = self.apply(family, SHUT, before=("env", "-u", "SSH_CONNECTION"))
        self.assertEqual((code, answer["changed"]), (1, False))

    @each_family
    def test_by_force_and_on_trial_it_is_tried_and_comes_back(self, family):
        self.begin(OPEN)
        session = self.lab.start(self.over_ssh(family, "sleep", "60", flags=("-tt",)),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.assertTrue(eventually(lambda: self.host.run(
            "ss", "-Htn", "state", "established", "sport", "=", ":22")))
        done = self.guard.call("apply", self.file_of(SHUT), "--force", "--confirm", "3s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.into(22, family, timeout=0.4), "timeout")
        self.assertTrue(eventually(lambda: self.names() == ["ssh"]))
        self.assertEqual(subprocess.run(self.over_ssh(family, "true"), check=False).returncode, 0)
        self.assertIsNone(session.poll())  # it stood still, and goes on
        session.terminate()
        session.wait(10.0)

    @each_family
    def test_who_comes_by_no_session_shuts_none_of_those_that_are_there(self, family):
        """SIGHUP of somebody's script: any session at an sshd counts."""
        self.begin(OPEN)
        session = self.lab.start(self.over_ssh(family, "sleep", "60", flags=("-tt",)),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.assertTrue(eventually(lambda: self.host.run(
            "ss", "-Htn", "state", "established", "sport", "=", ":22")))
        self.rewrite(SHUT)
        event = self.expect_event(event="policy", state="refused")
        self.assertIn(PEER[family], event["detail"])
        self.assertEqual(self.names(), ["ssh"])
        session.terminate()
        session.wait(10.0)
        self.assertTrue(eventually(lambda: not self.host.run(
            "ss", "-Htn", "state", "established", "sport", "=", ":22")))
        self.switch(SHUT)
        self.assertEqual(self.names(), ["web"])

    @each_family
    def test_a_rollback_is_asked_too(self, family):
        self.begin(SHUT)
        self.assertEqual(self.guard.call("apply", self.file_of(OPEN)).returncode, 0)
        done = self.command_over_ssh(family, "rollback", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["changed"]), (1, False))
        self.assertEqual(self.guard.call("rollback").returncode, 0)

    def watch_only(self):
        """A wall without a past that observes."""
        self.end()
        shutil.rmtree(os.path.join(self.guard.directory, "state"), ignore_errors=True)
        self.begin(OPEN, mode="observe")

    def test_the_first_that_enforces_is_to_be_tried_when_it_comes_over_ssh(self):
        self.watch_only()
        code, answer, _ = self.apply(4, OPEN)
        self.assertEqual((code, answer["changed"]), (1, False), answer)
        self.assertEqual(answer["next"], f"sallyport apply {self.file_of(OPEN)} --confirm 60s")
        self.assertEqual(self.guard.status()["mode"], "observe")
        code, answer, _ = self.apply(6, OPEN, "--confirm", "60s")
        self.assertEqual((code, answer["mode"]), (0, "enforce"), answer)
        self.assertEqual(self.guard.call("confirm").returncode, 0)
        self.assertEqual(self.apply(4, OPEN, mode="observe")[0], 0)
        self.assertEqual(self.apply(4, OPEN)[0], 0)  # not for the first time

    def logged_in(self, family):
        session = self.lab.start(self.over_ssh(family, "sleep", "60", flags=("-tt",)),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.assertTrue(eventually(lambda: self.host.run(
            "ss", "-Htn", "state", "established", "sport", "=", ":22")))
        return session

    def log_out(self, session):
        session.terminate()
        session.wait(10.0)
        self.assertTrue(eventually(lambda: not self.host.run(
            "ss", "-Htn", "state", "established", "sport", "=", ":22")))

    @each_family
    def test_the_first_that_enforces_is_not_loaded_by_a_signal_while_somebody_is_logged_in(self, family):
        """Who sent it has ended: it may have been him."""
        self.watch_only()
        session = self.logged_in(family)
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.policy(OPEN))  # it lets him in
        subprocess.run(["sh", "-c", f"/bin/kill -HUP {self.guard.process.pid}"], check=True)
        event = self.expect_event(event="policy", state="refused")
        self.assertIn("for the first time", event["detail"])
        self.assertEqual(self.guard.status()["mode"], "observe")
        self.log_out(session)
        self.guard.reload()
        self.assertTrue(eventually(lambda: self.guard.status()["mode"] == "enforce"))

    @each_family
    def test_a_start_that_nobody_can_be_traced_from_shuts_nobody_out(self, family):
        """As a service manager's."""
        session = self.logged_in(family)
        for command in ("run", "restore"):
            self.bare()
            done = self.guard.call(command, "-c", self.file_of(SHUT))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(PEER[family], done.stderr)
            self.assert_open()
        for rules, flags in ((OPEN, ()), (SHUT, ("--force",))):
            self.bare()
            done = self.guard.call("restore", "-c", self.file_of(rules), *flags)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.bare()
        self.log_out(session)
        done = self.guard.call("restore", "-c", self.file_of(SHUT))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.bare()

    def test_by_force_or_from_the_machine_itself_the_first_one_is_taken(self):
        self.watch_only()
        self.assertEqual(self.guard.call("apply", self.file_of(OPEN)).returncode, 0)
        self.watch_only()
        self.assertEqual(self.apply(6, OPEN, "--force")[0], 0)

    def bare(self):
        """No wall, and none before."""
        self.end()
        self.guard.down()
        shutil.rmtree(os.path.join(self.guard.directory, "state"), ignore_errors=True)

    def assert_open(self):
        self.assertNotEqual(self.guard.call("status").returncode, 0)
        self.assertFalse(os.path.exists(self.guard.pins))

    @each_family
    def test_a_start_over_ssh_that_would_enforce_at_once_is_refused(self, family):
        self.bare()
        for command in ("run", "restore"):
            done = self.command_over_ssh(family, command, "-c", self.file_of(OPEN))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("ssh session", done.stderr)
            self.assertIn(f"sallyport apply {self.file_of(OPEN)} --confirm 60s", done.stderr)
            self.assert_open()

    @each_family
    def test_by_force_or_to_observe_a_start_over_ssh_is_taken(self, family):
        for mode, flags in (("enforce", ("--force",)), ("observe", ())):
            self.bare()
            done = self.command_over_ssh(family, "restore", "-c", self.file_of(OPEN, mode=mode),
                                         *flags)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.guard.status()["mode"], mode)
            self.guard.down()

    def test_run_by_force_over_ssh_protects(self):
        self.bare()
        done = self.command_over_ssh(4, "run", "-c", self.file_of(OPEN), "--force",
                                     before=("timeout", "-s", "TERM", "5"))
        self.assertIn("protecting, generation 1", done.stderr)
        self.assertEqual(self.guard.status()["mode"], "enforce")
        self.guard.down()

    def test_where_the_session_is_of_another_namespace_a_start_goes_on(self):
        """An operator's own ssh session, and a wall for a namespace that it did not come by."""
        self.bare()
        settings = {**self.guard.environment,
                    "SSH_CONNECTION": "198.51.100.7 50000 198.51.100.1 22"}
        done = subprocess.run(self.guard.command("restore", "-c", self.file_of(OPEN)), env=settings,
                              capture_output=True, text=True, timeout=60.0, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.guard.down()

    @each_family
    def test_a_reload_over_ssh_from_observing_to_enforcing_is_refused(self, family):
        self.watch_only()
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.policy(OPEN))
        # Of the shell itself, which is still there when the daemon looks who it was.
        pid = self.guard.process.pid
        session = subprocess.run(self.over_ssh(family, f"kill -HUP {pid}; sleep 2"), check=False)
        self.assertEqual(session.returncode, 0)
        event = self.expect_event(event="policy", state="refused")
        self.assertIn("ssh", event["detail"])
        self.assertEqual(self.guard.status()["mode"], "observe")

    @each_family
    def test_one_that_observes_shuts_nobody_out(self, family):
        self.begin(OPEN)
        code, answer, _ = self.apply(family, SHUT, mode="observe")
        self.assertEqual((code, answer["mode"]), (0, "observe"))


class BehindABridge(OverSsh):
    """The address is the bridge's, and the guarded NIC is its port."""

    @classmethod
    def prepare(cls):
        cls.host.ip("link add br0 type bridge", "link set eth0 master br0", "addr flush dev eth0",
                    "link set br0 up")
        cls.host.address("br0", "10.1.0.1/24", "fd00:1::1/64")
        cls.host.route("default via 10.1.0.2", "default via fd00:1::2")
        super().prepare()

    @each_family
    def test_a_policy_of_the_port_is_asked_about_who_comes_to_the_bridge(self, family):
        self.begin(OPEN)
        code, answer, _ = self.apply(family, SHUT)
        self.assertEqual((code, answer["changed"]), (1, False), answer)
        self.assertIn(":22 on eth0", answer["shut"][0])
        code, answer, _ = self.apply(family, rule("ingress", "admin", both(PEER), ports=[22]))
        self.assertEqual((code, answer["changed"], self.names()), (0, True, ["admin"]))


if __name__ == "__main__":
    unittest.main()
