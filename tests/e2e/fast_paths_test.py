# SPDX-License-Identifier: Apache-2.0
"""A flowtable of nft takes what is routed past netfilter's hooks: it is said."""
import shutil
import subprocess
import unittest

from harness import E2e

NAMES = ("fast", "other")


class FastPaths(E2e):
    SECOND_NIC = True
    POLICY = ""

    def nft(self, rules):
        return subprocess.run(self.host.command(["nft", "-f", "-"]), input=rules, text=True,
                              capture_output=True, timeout=30, check=False)

    def listed(self):
        return [b for b in self.guard.status()["blind"] if b.startswith("flowtable")]

    def test_status_names_each_flowtable_as_long_as_there_is_one(self):
        self.assertEqual(self.listed(), [])
        if shutil.which("nft") is None:
            self.skipTest("no nft command")
        self.addCleanup(self.nft, "table inet t\ndelete table inet t\n"
                                  "table ip t\ndelete table ip t\n")
        done = self.nft("table inet t {\n flowtable fast { hook ingress priority 0; "
                        "devices = { eth0, eth1 }; }\n}\n")
        if done.returncode != 0:
            self.assertEqual(self.listed(), [])
            self.skipTest(f"no flowtables here: {done.stderr.splitlines()[0]}")
        self.assertEqual(self.listed(), ["flowtable:fast"])
        self.assertRegex(self.guard.call("status").stdout, r"(?m)^blind .*\bflowtable:fast\b")
        done = self.nft("table ip t {\n flowtable other { hook ingress priority 1; "
                        "devices = { eth1 }; }\n}\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.listed(), [f"flowtable:{name}" for name in NAMES])
        self.guard.kill()  # as the pins say
        self.assertEqual(self.listed(), [f"flowtable:{name}" for name in NAMES])
        self.guard.start(self.file)
        done = self.nft("delete table inet t\ndelete table ip t\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.listed(), [])


if __name__ == "__main__":
    unittest.main()
