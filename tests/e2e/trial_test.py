# SPDX-License-Identifier: Apache-2.0
"""Policies that are applied, on trial, confirmed and taken back; the kernel keeps the time."""
import datetime
import hashlib
import os
import unittest

from harness import PEER, both, each_family, eventually, rule
from policy_support import Policies

ONE = rule("ingress", "web", both(PEER), ports=[80])
TWO = rule("ingress", "api", both(PEER), ports=[81])


class Trials(Policies):
    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)

    def file_of(self, rules, name="next.toml", **options):
        return self.guard.write_policy(self.policy(rules, **options), name)

    def rules(self):
        return sorted(found["name"] for found in self.guard.status()["rules"])


class Applied(Trials):
    def test_apply_switches_and_says_so(self):
        self.begin(ONE)
        code, answer = self.change("apply", self.file_of(TWO), "--message", "the api alone")
        self.assertEqual((code, answer["changed"], answer["generation"], answer["trial"]),
                         (0, True, 2, None))
        self.assertEqual(self.opens(80, 81), [81])
        self.expect_event(event="policy", state="applied", generation=2)
        history = self.change("history")[1]["policies"]
        self.assertEqual([(e["number"], e["outcome"], e["message"]) for e in history],
                         [(2, "applied", "the api alone"), (1, "applied", None)])
        self.assertTrue(history[0]["by"].startswith("root"))
        with open(self.file_of(TWO), "rb") as file:
            self.assertEqual(history[0]["sha256"], hashlib.sha256(file.read()).hexdigest())
        self.assertEqual(history[0]["applied"], self.guard.status()["policy"]["applied"])
        applied = datetime.datetime.fromisoformat(history[0]["applied"].replace("Z", "+00:00"))
        age = datetime.datetime.now(datetime.timezone.utc) - applied
        self.assertTrue(-2.0 <= age.total_seconds() <= 120.0, history[0]["applied"])
        self.assertIn("the api alone", self.guard.call("history").stdout)

    def test_the_history_names_who_became_root_by_sudo(self):
        self.begin(ONE)
        file = self.file_of(TWO)
        self.guard.environment["SUDO_USER"] = "mia"
        try:
            self.change("apply", file)
        finally:
            del self.guard.environment["SUDO_USER"]
        self.change("rollback")
        self.assertEqual([entry["by"] for entry in self.change("history")[1]["policies"][:2]],
                         ["root", "root (mia)"])

    def test_what_is_no_policy_changes_nothing(self):
        self.begin(ONE)
        before = self.guard.status()["policy"]
        for text in ("", "schema = 1\n[host]\ninterfaces = [\"eth0\"]\nmode = \"enforced\"\n",
                     "\0\0\0", "schema = 1\n" + "x" * 100000):
            code, said = self.change("apply", self.guard.write_policy(text, "bad.toml"))
            self.assertEqual(code, 2, said)
        for arguments in (["/nowhere.toml"], ["/"], [self.file_of(ONE), "--confirm", "soon"],
                          [self.file_of(ONE), "--confirm", "0s"], []):
            self.assertEqual(self.change("apply", *arguments)[0], 2, arguments)
        os.chmod(self.file_of(TWO, "open.toml"), 0o666)
        self.assertEqual(self.change("apply", os.path.join(self.guard.directory, "open.toml"))[0],
                         2)
        self.assertEqual(self.change("apply", self.file_of(ONE), "--confirm", "2d")[0], 3)
        self.assertEqual(self.guard.status()["policy"], before)

    def test_without_a_daemon_there_is_nobody_to_apply(self):
        self.begin(ONE)
        self.guard.kill()
        self.assertEqual(self.change("apply", self.file_of(TWO))[0], 4)


class OnTrial(Trials):
    def test_confirmed_it_stays(self):
        self.begin(ONE)
        code, answer = self.change("apply", self.file_of(TWO), "--confirm", "60s")
        self.assertEqual((code, answer["trial"]), (0, {"seconds_left": 60}))
        self.assertEqual(self.opens(80, 81), [81])
        trial = self.guard.status()["trial"]
        self.assertEqual(trial["fallback_generation"], 1)
        self.assertTrue(0 < trial["seconds_left"] <= 60)
        self.assertIn("on trial", self.guard.call("status").stdout)
        self.assertEqual(self.outcomes(), ["trial", "applied"])
        self.assertEqual(self.change("confirm")[0], 0)
        self.assertIsNone(self.guard.status()["trial"])
        self.assertEqual(self.outcomes(), ["confirmed", "applied"])
        self.expect_event(event="policy", state="confirmed", generation=2)
        self.guard.stop()
        self.begin_again()
        self.assertEqual(self.opens(80, 81), [81])
        self.assertEqual(self.change("confirm"), (1, {
            "changed": False, "why": "no policy is on trial", "next": ""}))

    def begin_again(self):
        self.guard.start(self.file)

    def test_in_time_it_is_taken_back(self):
        self.begin(ONE)
        code, _ = self.change("apply", self.file_of(TWO), "--confirm", "3s")
        self.assertEqual(code, 0)
        self.assertEqual(self.rules(), ["api"])
        self.assertTrue(eventually(lambda: self.rules() == ["web"]))
        self.assertEqual(self.opens(80, 81), [80])
        status = self.guard.status()
        self.assertEqual((status["generation"], status["trial"]), (1, None))
        self.assertEqual(self.outcomes(), ["expired", "applied"])
        self.expect_event(event="policy", state="rolled-back", generation=1)
        self.assertEqual(self.change("confirm")[0], 1)
        # A number that was on trial is nobody's again.
        self.assertEqual(self.change("apply", self.file_of(ONE + TWO))[1]["generation"], 3)

    def test_by_hand_it_is_taken_back_at_once(self):
        self.begin(ONE)
        for _ in range(21):
            self.there.call("hold", dst="10.1.0.1", port=80)
        said = self.guard.call("apply", self.file_of(TWO), "--confirm", "60s").stderr
        self.assertEqual(said.count("would be cut: in tcp "), 20, said)
        self.assertRegex(said, r"and \d+ more")
        code, answer = self.change("rollback")
        self.assertEqual((code, answer["generation"]), (0, 1))
        self.assertEqual(self.opens(80, 81), [80])
        self.assertEqual(self.outcomes(), ["rolled-back", "applied"])

    def test_nothing_else_is_applied_meanwhile(self):
        self.begin(ONE)
        self.change("apply", self.file_of(TWO), "--confirm", "60s")
        done = self.guard.call("apply", self.file_of(ONE))
        self.assertEqual(done.returncode, 3)
        self.assertIn("sallyport confirm", done.stderr)
        self.guard.reload()
        self.expect_event(event="policy", state="refused")
        self.assertEqual(self.rules(), ["api"])

    @each_family
    def test_a_connection_that_the_trial_refuses_goes_on_after_it(self, family):
        self.begin(ONE)
        held = self.there.call("hold", dst={4: "10.1.0.1", 6: "fd00:1::1"}[family], port=80)
        _, answer = self.change("apply", self.file_of(TWO), "--confirm", "4s")
        self.assertTrue(any(PEER[family] in line and ":80 (no-rule)" in line
                            for line in answer["would_cut"]["connections"]), answer)
        self.assertTrue(self.guard.wait_said("the policy would not let it open"))
        self.assertEqual(self.there.result("exchange", handle=held["handle"], timeout=0.5),
                         "timeout")
        self.assertTrue(eventually(lambda: self.rules() == ["web"]))
        self.assertEqual(self.opens(80), [80])

    @each_family
    def test_datagrams_are_not_listed_before_and_are_refused_by_the_next_one(self, family):
        """What is listed is TCP's (ADR 15)."""
        self.there.call("listen", port=53, proto="udp")
        self.begin(ONE + rule("egress", "dns", both(PEER), proto="udp", ports=[53]))
        held = self.here.call("hold", dst=PEER[family], port=53, proto="udp")
        self.assertEqual(held["result"], "open")
        _, answer = self.change("apply", self.file_of(ONE), "--confirm", "60s")
        self.assertEqual(answer["would_cut"]["connections"], [], answer)
        self.assertNotEqual(self.here.result("exchange", handle=held["handle"], timeout=0.5),
                            "open")
        self.expect_event(direction="egress", reason="no-rule", dst=PEER[family], dst_port=53)
        self.here.call("release", handle=held["handle"])

    @each_family
    def test_what_the_trial_let_in_is_cut_when_it_ends(self, family):
        self.begin(ONE)
        self.change("apply", self.file_of(ONE + TWO), "--confirm", "60s")
        held = self.there.call("hold", dst={4: "10.1.0.1", 6: "fd00:1::1"}[family], port=81)
        self.assertEqual(held["result"], "open")
        self.change("rollback")
        self.assertNotEqual(self.there.result("exchange", handle=held["handle"], timeout=0.7),
                            "open")


class Unattended(Trials):
    """The daemon is killed in the trial."""

    def test_the_kernel_goes_back_with_nobody_awake(self):
        self.begin(ONE)
        self.change("apply", self.file_of(TWO), "--confirm", "8s")
        self.guard.kill()
        self.assertEqual(self.opens(80, 81), [81])
        self.assertEqual(self.guard.status()["trial"]["fallback_generation"], 1)
        self.assertTrue(eventually(lambda: self.into(80, 4, timeout=0.4) == "open"))
        self.assertEqual(self.opens(80, 81), [80])
        status = self.guard.status()
        self.assertEqual((status["generation"], status["trial"]), (1, None))
        self.assertEqual([found["name"] for found in status["rules"]], ["web"])
        self.guard.start(self.file)
        self.assertEqual((self.rules(), self.opens(80, 81)), (["web"], [80]))
        self.assertEqual(self.outcomes(), ["expired", "applied"])
        self.assertEqual(self.change("apply", self.file_of(TWO))[1]["generation"], 3)

    def test_a_daemon_that_comes_in_time_goes_on_with_it(self):
        for verb, left in (("confirm", ["api"]), ("rollback", ["web"])):
            self.begin(ONE)
            self.change("apply", self.file_of(TWO), "--confirm", "60s")
            self.guard.kill()
            self.guard.start(self.file)
            self.assertEqual(self.rules(), ["api"])
            self.assertIsNotNone(self.guard.status()["trial"])
            self.assertEqual(self.change(verb)[0], 0)
            self.assertEqual(self.rules(), left)

    def test_a_trial_whose_fallback_has_no_record_ends_with_its_nic_guarded(self):
        self.begin(ONE)
        self.change("apply", self.file_of(TWO), "--confirm", "60s")
        self.guard.kill()
        os.remove(self.state("enforced.json"))  # a disk was full
        self.guard.start(self.file)
        self.assertEqual(self.change("rollback")[0], 0)
        self.assertEqual(self.opens(80, 81), [80])

    def test_the_pins_are_enough_to_confirm_and_to_go_back(self):
        for verb, left in (("confirm", [81]), ("rollback", [80])):
            self.begin(ONE)
            self.change("apply", self.file_of(TWO), "--confirm", "60s")
            self.guard.kill()
            code, answer = self.change(verb)
            self.assertEqual((code, answer["changed"]), (0, True), answer)
            self.assertEqual(self.opens(80, 81), left)
            self.assertIsNone(self.guard.status()["trial"])
            self.guard.start(self.file)
            self.assertEqual(self.opens(80, 81), left)


class History(Trials):
    def test_the_same_file_with_other_zone_files_is_another_policy(self):
        """A restart knows the one that is in force, and goes on by it."""
        zones = '[zones]\npeers = { file = "peers.netset" }\n'
        zoned = rule("ingress", "zoned", "peers", ports=[81]) + 'interfaces = ["eth0"]\n'
        self.guard.write_policy("10.1.0.2\nfd00:1::2\n", "peers.netset")
        self.begin(ONE)
        self.change("apply", self.file_of(zoned, zones=zones))
        self.guard.write_policy("10.9.0.2\nfd00:9::2\n", "peers.netset")
        self.change("apply", self.file_of(zoned, zones=zones), "--confirm", "600s")
        self.assertEqual(self.opens(81), [])
        self.assertEqual(self.change("rollback")[0], 0)
        self.assertEqual(self.opens(81), [81])
        self.guard.kill()
        code, answer = self.change("diff")  # of what is loaded and its file, whose zones differ
        self.assertEqual((code, answer["differs"]), (1, True), answer)
        self.guard.start(self.file)
        self.host.ip("link add spare0 type veth peer name spare1")  # compiled anew
        try:
            self.guard.call("guard", "spare0")
            self.assertEqual(self.opens(81), [81])
        finally:
            self.host.ip("link del spare0")

    def test_rollback_goes_back_one_policy_after_another(self):
        zone = self.guard.write_policy("10.1.0.2\nfd00:1::2\n", "peers.netset")
        self.begin(ONE)
        zones = '[zones]\npeers = { file = "peers.netset" }\n'
        self.change("apply", self.file_of(rule("ingress", "zoned", "peers", ports=[81]),
                                          zones=zones))
        os.unlink(zone)
        self.change("apply", self.file_of(ONE + TWO))
        self.assertEqual(self.opens(80, 81), [80, 81])
        code, answer = self.change("rollback")
        self.assertEqual((code, answer["restores"], self.rules()), (0, 2, ["zoned"]))
        self.assertEqual(self.opens(80, 81), [81])
        self.assertEqual(self.change("rollback")[1]["restores"], 1)
        self.assertEqual(self.opens(80, 81), [80])
        code, answer = self.change("rollback")
        self.assertEqual((code, answer["changed"]), (1, False))
        self.assertEqual(self.change("rollback", "3")[0], 0)
        self.assertEqual(self.opens(80, 81), [80, 81])
        for number in ("99", "4294967295"):
            self.assertEqual(self.change("rollback", number)[0], 1)
        self.assertEqual(self.change("rollback", "x")[0], 2)

    def test_without_a_daemon_too(self):
        self.begin(ONE)
        self.change("apply", self.file_of(TWO))
        self.guard.kill()
        self.assertEqual(self.change("rollback")[0], 0)
        self.assertEqual(self.opens(80, 81), [80])

    def test_a_diff_is_of_numbers_of_files_and_of_what_is_loaded(self):
        self.begin(ONE)
        code, same = self.change("diff")
        self.assertEqual((code, same["differs"]), (0, False))
        other = self.file_of(TWO)
        for arguments in ((other,), ("1", other)):
            code, answer = self.change("diff", *arguments)
            self.assertEqual((code, [one["services"] for one in answer["allowed"]],
                              [one["services"] for one in answer["forbidden"]]),
                             (1, [["tcp 81"]], [["tcp 80"]]), answer)
        self.assertEqual(self.change("apply", other)[0], 0)
        self.guard.kill()  # nobody is needed to read what was kept
        for same in (other, "2"):
            code, answer = self.change("diff", same)
            self.assertEqual((code, answer["differs"]), (0, False), answer)
        code, back = self.change("diff", "1")
        self.assertEqual((code, back["allowed"][0]["by"], back["forbidden"][0]["instead_of"]),
                         (1, ["web"], ["api"]))
        for arguments in (["99"], ["/nowhere.toml"], [self.guard.write_policy("x", "bad.toml")],
                          ["1", "2", "3"], ["99999999999999"]):
            self.assertEqual(self.change("diff", *arguments)[0], 2, arguments)

    def test_twenty_are_kept(self):
        self.begin(ONE)
        for number in range(23):
            self.change("apply", self.file_of(ONE, mode="observe" if number % 2 else "enforce"))
        numbers = [entry["number"] for entry in self.change("history")[1]["policies"]]
        self.assertEqual(numbers, list(range(24, 4, -1)))

    def test_a_kept_policy_that_was_changed_is_refused(self):
        self.begin(ONE)
        self.change("apply", self.file_of(TWO))
        kept = self.state("policies", "000001", "policy.toml")
        with open(kept, "a", encoding="utf-8") as file:
            file.write("# nothing much\n")
        done = self.guard.call("rollback")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("000001/policy.toml", done.stderr)
        self.assertEqual(self.rules(), ["api"])

    def test_a_full_disk_keeps_no_policy_from_ruling(self):
        self.begin(ONE)
        policies = self.state("policies")
        os.rename(policies, policies + ".away")
        self.guard.write_policy("in the way", "state/policies")
        code, answer = self.change("apply", self.file_of(TWO))
        self.assertEqual(code, 0)
        self.assertIn("not in the history", " ".join(answer["warnings"]))
        self.assertEqual(self.opens(80, 81), [81])


if __name__ == "__main__":
    unittest.main()
