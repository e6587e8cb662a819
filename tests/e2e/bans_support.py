# SPDX-License-Identifier: Apache-2.0
"""What the tests of bans share: rules for everybody, the commands, and the database."""
import json
import os
import sqlite3
import subprocess

from harness import E2e, rule
from slow import patient

# Allowed to all, so that only a ban keeps anybody out.
BANS = (rule("ingress", "web", "any", ports=[80]) + rule("egress", "https", "any", ports=[443]))


class BanE2e(E2e):
    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=80)
        cls.there.call("listen", port=443)

    def tearDown(self):
        super().tearDown()
        for name in os.listdir(self.state()) if os.path.isdir(self.state()) else ():
            if name.startswith("sallyport.db"):
                path = os.path.join(self.state(), name)
                os.rmdir(path) if os.path.isdir(path) else os.unlink(path)

    def begin(self, *arguments, **options):  # pylint: disable=arguments-differ
        """A subtest's bans are not the next one's."""
        type(self).end()
        self.forget_bans()
        super().begin(*arguments, **options)

    def forget_bans(self):
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self.database() + suffix):
                os.unlink(self.database() + suffix)

    def state(self, name=""):
        return os.path.join(self.guard.directory, "state", name)

    def database(self):
        return self.state("sallyport.db")

    def sql(self, text, rows=None):
        """Of what the database holds, or into it."""
        with sqlite3.connect(self.database()) as database:
            if rows is not None:
                database.executemany(text, rows)
                return []
            return database.execute(text).fetchall()

    def command(self, *arguments, env=None):
        environment = {**self.guard.environment, **(env or {})}
        if env is None:
            environment.pop("SSH_CONNECTION", None)
        return subprocess.run(self.guard.command(*arguments), capture_output=True, text=True,
                              timeout=patient(120.0), env=environment, check=False)

    def ask(self, *arguments):
        done = self.command(*arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def ban(self, network, *arguments):
        return self.ask("ban", network, *arguments)

    def unban(self, network):
        return self.ask("unban", network)

    def bans(self):
        return {ban["network"]: ban for ban in self.ask("bans")["bans"]}
