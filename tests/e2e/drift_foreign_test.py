# SPDX-License-Identifier: Apache-2.0
"""drift: programs of others at our places, and on which side of ours they run."""
import os
import sys
import unittest

from bpf_links import update_link
from drift_test import Drift
from foreign import foreign
from harness import TCX

LINKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bpf_links.py")


class ForeignOrder(Drift):
    def setUp(self):
        self.start()
        self.guard.kill()  # nobody mends meanwhile
        self.pins = os.path.join(self.lab.bpffs, "others")

    def load(self, name):
        self.host.run("bpftool", "prog", "loadall", foreign(name, self.lab.directory), self.pins)
        self.addCleanup(self.host.run, "rm", "-rf", self.pins)

    @unittest.skipUnless(TCX, "this kernel has no TCX (6.6)")
    def test_a_program_at_tcx_is_told_with_the_side_on_which_it_runs(self):
        self.load("filter")
        link = os.path.join(self.lab.bpffs, "other-link")
        for order in ("before", "behind"):
            self.host.run(sys.executable, LINKS, "tcx-egress", "eth0", self.pins + "/hand_on",
                          link, order)
            found = self.drift()
            os.unlink(link)
            self.assertEqual(set(found), {"foreign"})
            self.assertEqual([one["about"] for one in found["foreign"]], ["eth0"])
            self.assertRegex(found["foreign"][0]["text"],
                             rf'^program \d+ \("hand_on"\) of somebody else at TCX egress, '
                             rf'{order} ours$')
            self.assert_none("when it is gone")

    def test_a_filter_of_the_classifier_is_told_beside_ours(self):
        self.host.run("tc", "qdisc", "replace", "dev", "eth0", "clsact")
        self.host.run("tc", "filter", "add", "dev", "eth0", "ingress", "prio", "7", "bpf", "da",
                      "obj", foreign("filter", self.lab.directory), "sec", "tc")
        one = self.drift()["foreign"][0]
        self.assertIn("at clsact ingress, behind our XDP program", one["text"])
        self.assertEqual(one["next"], "tc filter show dev eth0 ingress")
        self.host.run("tc", "filter", "del", "dev", "eth0", "ingress", "prio", "7")
        self.assert_none("when it is gone")

    def test_a_program_that_was_at_the_cgroup_before_ours_is_told_so(self):
        self.end()
        self.load("cgroup")
        top = self.lab.cgroup.directory
        attach = ("bpftool", "cgroup", "attach", top)
        detach = ("bpftool", "cgroup", "detach", top)
        self.host.run(*attach, "connect4", "pinned", self.pins + "/four", "multi")
        self.addCleanup(self.host.run, *detach, "connect4", "pinned", self.pins + "/four")
        self.guard.start(self.file)
        self.host.run(*attach, "egress", "pinned", self.pins + "/all", "multi")
        found = self.drift()
        self.host.run(*detach, "egress", "pinned", self.pins + "/all")
        self.assertEqual(set(found), {"foreign"})
        told = sorted(one["text"].partition("(")[2] for one in found["foreign"])
        self.assertEqual(told, ['"all") of somebody else at cgroup_egress, behind ours',
                                '"four") of somebody else at connect4, before ours'])

    def test_the_program_that_shuts_a_newcomer_is_ours_alone_and_for_a_moment(self):
        link = self.pin("links", "xdp-native-eth0")
        update_link(link, self.pin("programs", "sp_xdp_shut"))
        found = self.drift()
        self.assertEqual(set(found), {"hook"})
        self.assertIn("nothing comes in at eth0", found["hook"][0]["text"])
        self.load("shut")
        update_link(link, self.pins + "/sp_xdp_shut")
        found = self.drift()
        self.assertEqual(set(found), {"hook", "foreign"})
        self.assertRegex(found["hook"][0]["text"],
                         r'it runs program \d+ \("sp_xdp_shut"\) and not sp_xdp_in over our maps')
        self.assertIn("where ours should be", found["foreign"][0]["text"])
        self.guard.start(self.file)
        self.assert_none("once a daemon has put ours back")


if __name__ == "__main__":
    unittest.main()
