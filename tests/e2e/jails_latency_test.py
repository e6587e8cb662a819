# SPDX-License-Identifier: Apache-2.0
"""How soon after its line a jail's ban is in the kernel; tools/ban-latency compares."""
import unittest

from harness import HOST, PEER, each_family, rule
from ban_latency import PORT, Stream, rounds  # harness has said where it is
from jails_support import JailE2e, jail
from slow import patient

STREAM = rule("ingress", "stream", "any", proto="udp", ports=[PORT])


class Latency(JailE2e):
    @each_family
    def test_the_packets_of_whom_a_line_accuses_end_soon_after_it(self, family):
        self.begin(STREAM + jail(self.log()))
        stream = Stream(self.lab, self.peer, self.host, HOST[family])
        self.addCleanup(stream.close)
        taken = rounds(stream, 3, lambda times: self.write(*[PEER[family]] * times),
                       lambda: self.unban(PEER[family]))
        print("banned after " + ", ".join(f"{1000 * seconds:.1f}" for seconds in taken) + " ms")
        # Some milliseconds where nothing else runs; here anything may.
        self.assertLess(min(taken), patient(2.0))
        stream.close()  # the port is the next family's


if __name__ == "__main__":
    unittest.main()
