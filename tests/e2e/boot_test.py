# SPDX-License-Identifier: Apache-2.0
"""What a reboot finds: the last good policy, never one on trial, never a changed file; and a
host that is shut but for ssh when that policy cannot be read. A boot is played by removing all
pins, as it does, with the state directory kept."""
import json
import os
import shutil
import subprocess
import time

from harness import FAMILIES, PEER, both, eventually, rule
from policy_support import Policies

ONE = (rule("ingress", "web", both(PEER), ports=[80])
       + rule("egress", "https", both(PEER), ports=[443]))
TWO = rule("ingress", "api", both(PEER), ports=[81])
ADMIN = f'[zones]\nadmin = ["{PEER[4]}", "{PEER[6]}"]\n'


class Boots(Policies):
    @classmethod
    def prepare(cls):
        for port in (22, 80, 81):
            cls.here.call("listen", port=port)
        cls.there.call("listen", port=443)
        cls.console = os.path.join(cls.guard.directory, "console")
        cls.guard.environment["SALLYPORT_CONSOLE"] = cls.console

    @classmethod
    def begin(cls, *arguments, **options):
        """And nobody who listens to it."""
        cls.forget()
        cls.file = cls.guard.write_policy(cls.policy(*arguments, **options))
        cls.guard.start(cls.file)

    def tearDown(self):
        super().tearDown()
        self.guard.down()

    def shut_off(self):
        """The machine loses its power."""
        if self.guard.process is not None and self.guard.process.poll() is None:
            self.guard.kill()
        shutil.rmtree(self.guard.pins)
        if "clsact" in self.host.run("tc", "qdisc", "show", "dev", "eth0"):  # before 6.6
            self.host.run("tc", "qdisc", "del", "dev", "eth0", "clsact")
        opened = eventually(lambda: self.into(82, 4, timeout=0.3) == "refused")
        self.assertTrue(opened, "the hooks outlived their pins")
        with open(self.console, "w", encoding="utf-8"):
            pass

    def restore(self, *flags):
        return self.guard.call("restore", "-c", self.file, *flags, timeout=60)

    def change_file(self, text):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)

    def links(self):
        """Their pins, without the number that a new program gives those of netfilter."""
        return sorted(name.rsplit("-", 1)[0] if name[-2:] in ("-0", "-1") else name
                      for name in os.listdir(os.path.join(self.guard.pins, "v1", "links")))

    def said_on_console(self):
        with open(self.console, encoding="utf-8") as file:
            return file.read()


class Restored(Boots):
    def test_the_last_good_policy_comes_back_and_run_adopts_it(self):
        self.begin(ONE)
        self.change_file(self.policy(TWO))
        history = self.guard.call("history", "--json").stdout
        self.shut_off()
        done = self.restore()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("sallyport apply " + self.file, done.stderr)
        self.assertEqual(self.opens(80, 81), [80])
        status = self.guard.status()
        self.assertEqual((status["state"], [r["name"] for r in status["rules"]]),
                         ("protected", ["web", "https"]))
        links = self.links()
        again = self.restore()
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("stands already", again.stderr)
        self.assertEqual(self.guard.status()["generation"], status["generation"])
        self.guard.start(self.file)
        self.assertEqual(self.links(), links)
        self.assertEqual(self.opens(80, 81), [80])
        self.assertEqual(self.guard.call("history", "--json").stdout, history)

    def test_run_on_bare_ground_takes_it_too_and_says_how_to_load_the_file(self):
        self.begin(ONE)
        self.change_file(self.policy(TWO))
        self.shut_off()
        begun = os.path.getsize(self.guard.log)
        self.guard.start(self.file)
        self.assertIn("sallyport apply " + self.file, self.guard.said(begun))
        self.assertEqual(self.opens(80, 81), [80])
        self.assertEqual(self.guard.call("apply", self.file).returncode, 0)
        self.assertEqual(self.opens(80, 81), [81])
        self.change_file("nonsense")
        self.shut_off()
        self.guard.start(self.file)
        self.assertEqual(self.opens(80, 81), [81])

    def test_without_its_socket_what_was_good_stands_and_a_first_policy_does_not(self):
        self.begin(ONE)
        self.shut_off()
        place = os.path.join(self.guard.directory, "run", "control.sock")
        if os.path.lexists(place):
            os.remove(place)
        os.makedirs(os.path.join(place, "taken"))
        try:
            for first in (False, True):
                if first:
                    self.shut_off()
                    shutil.rmtree(self.state())
                done = self.guard.call("run", "-c", self.file, timeout=60)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertEqual(self.opens(80, 81), [80, 81] if first else [80])
        finally:
            shutil.rmtree(place)

    def test_a_reboot_ends_a_trial_and_keeps_what_was_confirmed(self):
        self.begin(ONE)
        other = self.guard.write_policy(self.policy(TWO), "other.toml")
        for confirms, left in ((False, [80]), (True, [81])):
            if self.guard.process.poll() is not None:
                self.guard.start(self.file)
            self.assertEqual(self.guard.call("apply", other, "--confirm", "300s").returncode, 0)
            if confirms:
                self.assertEqual(self.guard.call("confirm").returncode, 0)
            self.shut_off()
            self.assertEqual(self.restore().returncode, 0)
            self.assertEqual(self.opens(80, 81), left)
            self.assertIsNone(self.guard.status()["trial"])
            self.assertEqual(self.outcomes()[0], "confirmed" if confirms else "expired")

    def test_the_first_time_it_takes_the_file_and_after_down_again(self):
        self.begin(ONE)
        self.end()
        self.change_file(self.policy(TWO))
        self.assertEqual(self.restore().returncode, 0)
        self.assertEqual(self.opens(80, 81), [81])
        self.assertEqual(self.guard.down().returncode, 0)
        shutil.rmtree(self.state())
        self.change_file("schema = 1\nnonsense = 2\n")
        done = self.restore()
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertFalse(os.path.exists(self.guard.pins))
        self.change_file(self.policy(ONE))
        self.assertEqual(self.restore().returncode, 0)
        self.shut_off()
        self.change_file(self.policy(TWO))
        self.assertEqual(self.restore().returncode, 0)
        self.assertEqual(self.opens(80, 81), [80])

    def test_killed_at_any_moment_the_next_one_is_right(self):
        self.begin(ONE)
        self.change_file(self.policy(TWO))
        self.shut_off()
        for number in range(3):
            process = self.lab.start(self.guard.command("restore", "-c", self.file),
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     env=self.guard.environment)
            time.sleep(0.1 + 0.4 * number)
            process.kill()
            process.wait(timeout=10)
        done = self.restore()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.opens(80, 81), self.guard.status()["state"]), ([80], "protected"))


class LateNics(Boots):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.host.sysctl("net.ipv6.conf.eth0.keep_addr_on_down=1")

    def assert_guarded(self):
        """Nothing passes for 50 ms after a NIC was hooked, and IPv6 comes up late."""
        opened = eventually(lambda: all(self.into(80, family, timeout=0.4) == "open"
                                        for family in FAMILIES))
        self.assertTrue(opened)
        self.assertEqual(self.opens(80, 81), [80])

    def rename(self, old, new):
        self.host.ip(f"link set {old} down", f"link set {old} name {new}", f"link set {new} up")

    def test_a_nic_that_is_not_there_yet_is_waited_for(self):
        """Egress is judged at once; the NIC from the moment that it is there."""
        self.begin(ONE)
        for flags in ((), ("--wait-for-nics",)):
            if flags:
                self.guard.down()
            else:
                self.shut_off()
            self.rename("eth0", "away0")
            try:
                if flags:
                    self.assertEqual(self.guard.call("run", "-c", self.file).returncode, 3)
                else:
                    self.assertEqual(self.restore().returncode, 0)
                self.guard.start(self.file, *flags)
                status = self.guard.status()
                self.assertEqual((status["state"], status["waiting"]), ("not-protected", ["eth0"]))
                self.assertIn("waiting for eth0", self.guard.call("status").stdout)
                for family in (4, 6):
                    self.assertEqual((self.out(443, family), self.out(444, family)),
                                     ("open", "eperm"))
            finally:
                self.rename("away0", "eth0")
            status = self.guard.wait_status(lambda s: s["state"] == "protected")
            self.assertEqual((status["state"], status["waiting"]), ("protected", []))
            self.assert_guarded()
            self.guard.stop()

    def test_guard_hooks_it_after_restore_without_a_daemon(self):
        self.begin(ONE)
        self.shut_off()
        self.rename("eth0", "away0")
        try:
            self.assertEqual(self.restore().returncode, 0)
        finally:
            self.rename("away0", "eth0")
        done = self.guard.call("guard", "eth0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_guarded()
        self.assertEqual(self.guard.status()["state"], "protected")


class Broken(Boots):
    BROKEN = {"truncated": lambda text: text[:len(text) // 2], "empty": lambda text: "",
              "garbage": lambda text: "\x01\x7f not what it was"}

    def break_file(self, path, how):
        with open(path, "r+", encoding="utf-8") as file:
            text = file.read()
            file.seek(0)
            file.truncate()
            file.write(self.BROKEN[how](text))

    def assert_shut(self, who, *ports):
        told = self.said_on_console()
        self.assertIn("THE LAST GOOD POLICY CANNOT BE USED", told)
        self.assertIn(who, told)
        self.assertIn("sallyport apply " + self.file, told)
        self.assertEqual(self.opens(22, 80, 81), list(ports))
        for family in (4, 6):
            self.assertEqual(self.out(443, family), "eperm")

    def test_a_broken_policy_shuts_the_host_but_for_the_admins_until_one_is_applied(self):
        self.begin(TWO, zones=ADMIN)
        other = self.guard.write_policy(self.policy(ONE), "other.toml")
        self.assertEqual(self.guard.call("apply", other).returncode, 0)
        self.shut_off()
        self.break_file(self.state("policies", "000002", "policy.toml"), "truncated")
        done = self.restore()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("000002/policy.toml", done.stderr)
        self.assert_shut("from the zone admin", 22)
        self.assertEqual(self.guard.status()["policy"]["file"], "(fail-closed)")
        self.guard.start(self.file)
        self.assert_shut("from the zone admin", 22)
        self.assertEqual(self.guard.call("apply", other, "--force").returncode, 0)
        self.assertEqual(self.opens(22, 80), [80])

    def test_a_broken_record_shuts_it_for_run_as_well(self):
        self.begin(TWO, zones=ADMIN)
        self.shut_off()
        self.break_file(self.state("policies", "000001", "about.json"), "empty")
        self.guard.start(self.file)
        self.assert_shut("from the zone admin", 22)

    def test_with_all_of_it_broken_ssh_is_left_and_a_mended_file_opens_again(self):
        self.begin(ONE)
        self.shut_off()
        kept = self.state("policies", "000001", "policy.toml")
        shutil.copy(kept, kept + ".saved")
        self.break_file(kept, "garbage")
        self.break_file(self.state("enforced.json"), "truncated")
        done = self.restore()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assert_shut("from anywhere", 22)
        os.replace(kept + ".saved", kept)
        self.guard.start(self.file)
        self.assertEqual(self.opens(22, 80, 81), [80])


class LateCgroup(Boots):
    """The policy is over the processes of a cgroup that something makes later in the boot."""

    def egress(self):
        return tuple(self.out(443, family, timeout=0.4) for family in FAMILIES)

    def tells_of(self, port):
        with open(self.guard.events_file, encoding="utf-8") as file:
            return any(json.loads(line).get("dst_port") == port for line in file)

    def shut_without_its_cgroup(self):
        place = os.path.join(self.lab.cgroup.directory, "late")
        os.makedirs(place, exist_ok=True)
        self.addCleanup(lambda: os.path.isdir(place) and os.rmdir(place))
        inner = self.lab.cgroup.path + "/late"
        text = self.policy(TWO).replace(f'cgroup = "{self.lab.cgroup.path}"', f'cgroup = "{inner}"')
        self.assertIn(inner, text)
        self.forget()
        type(self).file = self.guard.write_policy(text)
        self.guard.start(self.file)
        self.assertEqual(self.egress(), ("timeout", "timeout"))  # by the NIC's hook alone
        self.shut_off()
        os.rmdir(place)
        self.assertEqual(self.restore().returncode, 1)
        self.assertEqual(self.egress(), ("eperm", "eperm"))
        return place

    def test_it_is_left_by_apply_and_by_rollback_and_by_a_start_once_the_cgroup_is_there(self):
        for words in (["apply", None, "--force"], ["rollback", "1", "--force"], []):
            place = self.shut_without_its_cgroup()
            self.guard.start(self.file)
            words = [self.file if word is None else word for word in words]
            if words:
                self.assertNotEqual(self.guard.call(*words).returncode, 0)  # not there yet
                self.assertEqual(self.egress(), ("eperm", "eperm"))
            os.makedirs(place)
            if words[:1] == ["apply"]:
                self.assertNotEqual(self.guard.call(*words, "--confirm", "60s").returncode, 0)
            if words:
                done = self.guard.call(*words)
                self.assertEqual(done.returncode, 0, done.stderr)
            else:
                self.guard.kill()
                self.guard.start(self.file)
            # Nobody of this host is in that cgroup.
            self.assertEqual(self.egress(), ("timeout", "timeout"))
            self.assertEqual(self.opens(80, 81), [81])
            status = self.guard.status()
            self.assertEqual(status["state"], "protected", status["why"])
            self.assertEqual(self.into(79, 4, timeout=0.4), "timeout")
            self.assertTrue(eventually(lambda: self.tells_of(79)), "events are lost")
            links = self.links()
            self.guard.kill()
            self.guard.start(self.file)
            self.assertEqual((self.opens(80, 81), self.links()), ([81], links))
            self.guard.kill()
            self.guard.down()
            os.remove(self.guard.events_file)
