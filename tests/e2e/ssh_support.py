# SPDX-License-Identifier: Apache-2.0
"""An sshd on the guarded host, and commands that somebody gives over it from the peer.

It is named by SALLYPORT_TEST_SSHD, of the machine, or unpacked by scripts/setup, and runs in a
mount namespace of its own, where its user and its empty directory are there."""
import getpass
import os
import shutil
import subprocess
import time
import unittest

from harness import HOST, PEER
from slow import patient

UNPACKED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/openssh-server")
SSHD = os.environ.get("SALLYPORT_TEST_SSHD") or shutil.which(
    "sshd", path=f"/usr/sbin:/usr/local/sbin:{UNPACKED}/usr/sbin")
PRIVATE = """
set -e
mkdir -p /run/sshd
mount -t tmpfs tmpfs /run/sshd
chmod 755 /run/sshd
grep -q '^sshd:' /etc/passwd || { { cat /etc/passwd
  echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin'; } > "$1/passwd"
  mount --bind "$1/passwd" /etc/passwd; }
exec "$2" -D -e -f "$1/sshd_config"
"""


@unittest.skipUnless(SSHD and shutil.which("ssh"), "no sshd here (apt-get install openssh-server)")
class WithSshd:
    """Beside E2e."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.keys = os.path.join(cls.lab.directory, "ssh")
        os.makedirs(cls.keys, 0o700)
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", cls.key(name)],
                           check=True)
        with open(cls.key("sshd_config"), "w", encoding="ascii") as file:
            file.write(f"HostKey {cls.key('host')}\nAuthorizedKeysFile {cls.key('client')}.pub\n"
                       "Port 22\nPidFile none\nStrictModes no\nPermitRootLogin yes\nUseDNS no\n"
                       "PasswordAuthentication no\nLogLevel ERROR\nAcceptEnv SALLYPORT_*\n"
                       # Or bash takes it for a login, and reads what this machine's root keeps for his.
                       "SetEnv SHLVL=1\n")
        with open(cls.key("log"), "w", encoding="ascii") as log:
            cls.lab.start(cls.host.command(["unshare", "-m", "sh", "-c", PRIVATE, "sh", cls.keys,
                                            SSHD]), stdout=log, stderr=log)
        until = time.monotonic() + patient(10.0)
        while not cls.host.run("ss", "-Hltn", "sport", "=", ":22"):
            if time.monotonic() > until:
                with open(cls.key("log"), encoding="utf-8") as log:
                    raise AssertionError("sshd does not listen: " + log.read())
            time.sleep(0.1)

    @classmethod
    def key(cls, name):
        return os.path.join(cls.keys, name)

    def over_ssh(self, family, *command, flags=()):
        return self.peer.command(
            ["ssh", *flags, "-F", "none", "-i", self.key("client"), "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
             "-b", PEER[family], f"{getpass.getuser()}@{HOST[family]}", *command])

    def command_over_ssh(self, family, *arguments, before=()):
        """Of sallyport, within a session."""
        settings = [f"{k}={v}" for k, v in self.guard.environment.items()
                    if k.startswith("SALLYPORT_")]
        return subprocess.run(
            self.over_ssh(family, *before, "env", *settings, self.guard.binary, *arguments),
            capture_output=True, text=True, timeout=patient(60.0), check=False)
