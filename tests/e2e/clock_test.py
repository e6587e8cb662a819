# SPDX-License-Identifier: Apache-2.0
"""The wall clock decides nothing. tests/vm/topology steps it, in a guest; here the programs that
stand at their hooks are asked what clock they read."""
import json
import os
import re
import unittest

from harness import PEER, E2e, both, rule


class Clock(E2e):
    POLICY = (rule("ingress", "web", both(PEER), ports=[80], limit="20/minute")
              + rule("egress", "https", both(PEER), ports=[443]))

    def helpers(self):
        """{program's name: what it calls in the kernel}, by the pins of the hooks."""
        links, called = os.path.join(self.guard.pins, "v1/links"), {}
        for pin in os.listdir(links):
            link = json.loads(self.host.run("bpftool", "-j", "link", "show", "pinned",
                                            os.path.join(links, pin)))
            number = str(link["prog_id"])
            name = json.loads(self.host.run("bpftool", "-j", "prog", "show", "id", number))["name"]
            code = self.host.run("bpftool", "prog", "dump", "xlated", "id", number)
            called[name] = set(re.findall(r"call (bpf_\w+)#", code))
        return called

    def test_no_program_reads_the_wall_clock(self):
        called = self.helpers()
        self.assertGreater(len(called), 8, called)
        clocks = {name: {c for c in calls if "time" in c or "jiffies" in c}
                  for name, calls in called.items()}
        monotonic = {"bpf_ktime_get_boot_ns", "bpf_ktime_get_ns", "bpf_ktime_get_coarse_ns"}
        self.assertTrue(monotonic & set().union(*clocks.values()), "none was seen: this shows nothing")
        # The one from which a program could learn the wall's time is bpf_ktime_get_tai_ns.
        self.assertEqual({n: c for n, c in clocks.items() if c - monotonic}, {})


if __name__ == "__main__":
    unittest.main()
