# SPDX-License-Identifier: Apache-2.0
"""RDMA passes by every hook: what can be done is to say so."""
import os
import shutil
import subprocess
import unittest

from harness import E2e

DEVICES = "/sys/class/infiniband"


class Rdma(E2e):
    POLICY = ""

    @classmethod
    def prepare(cls):
        cls.name = f"rxe{os.getpid()}"

    def add(self):
        """Soft RoCE on the guarded NIC."""
        if shutil.which("rdma") is None:
            self.skipTest("no rdma command")
        done = subprocess.run(
            self.host.command(["rdma", "link", "add", self.name, "type", "rxe", "netdev", "eth0"]),
            capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            self.skipTest(f"no soft RoCE here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, self.host.command(["rdma", "link", "delete", self.name]),
                        timeout=30, check=True)

    def test_status_names_rdma_as_blind_only_where_there_is_a_device(self):
        if not os.path.isdir(DEVICES) or not os.listdir(DEVICES):
            self.assertNotIn("rdma", self.guard.status()["blind"])
        self.add()
        self.assertIn(self.name, os.listdir(DEVICES))
        self.assertIn("rdma", self.guard.status()["blind"])
        self.assertRegex(self.guard.call("status").stdout, r"(?m)^blind .*\brdma\b")


if __name__ == "__main__":
    unittest.main()
