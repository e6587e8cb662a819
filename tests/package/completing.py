# SPDX-License-Identifier: Apache-2.0
"""A host that has a policy, seen from a directory with some files, for a shell that completes."""
import os
import tempfile
import unittest

import package

POLICY = """schema = 1
[host]
interfaces = ["eth0"]
[zones]
lan = ["10.7.0.0/16", "fd00:7::/32"]
admin = ["192.0.2.0/24"]
[[ingress]]
name = "ssh"
from = "admin"
proto = "tcp"
ports = [22]
[[ingress]]
name = "model for all"
from = "lan"
proto = "tcp"
ports = [80]
[[jail]]
name = "api-keys"
log = "/var/log/api.log"
match = ["bad key from <HOST>"]
"""


class Completing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="sallyport-complete-")
        os.chmod(cls.place.name, 0o755)
        # The binary is found by its name; the policy, where the package has it.
        cls.mount = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                     'mkdir -p /etc/sallyport && mount -t tmpfs -o mode=755 tmpfs /etc/sallyport &&'
                     ' cp "$1" /etc/sallyport/policy.toml && cd "$2" && shift 2 && exec "$@"', "sh",
                     os.path.join(cls.place.name, "policy.toml"), cls.place.name]
        cls.write(POLICY)
        for name in ("open.toml", "other.txt", "with space.toml"):
            with open(os.path.join(cls.place.name, name), "w", encoding="utf-8"):
                pass
        os.mkdir(os.path.join(cls.place.name, "directory"))

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    @classmethod
    def write(cls, policy):
        with open(os.path.join(cls.place.name, "policy.toml"), "w", encoding="utf-8") as file:
            file.write(policy)

    @staticmethod
    def environment():
        return {"PATH": f"{package.unpacked()}/usr/sbin:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
