# SPDX-License-Identifier: Apache-2.0
"""Policies that come and go on a wall that begins without a past, and what they open."""
import json
import os
import shutil

from harness import FAMILIES, E2e


class Policies(E2e):
    @classmethod
    def state(cls, *parts):
        return os.path.join(cls.guard.directory, "state", *parts)

    @classmethod
    def forget(cls):
        """No wall, and none before."""
        cls.end()
        shutil.rmtree(cls.state(), ignore_errors=True)

    @classmethod
    def begin(cls, *arguments, **options):
        cls.forget()
        super().begin(*arguments, **options)

    def change(self, *arguments):
        """A command's exit code, and its answer or what it said."""
        done = self.guard.call(*arguments, "--json")
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def outcomes(self):
        return [entry["outcome"] for entry in self.change("history")[1]["policies"]]

    def opens(self, *ports):
        """Which of these the peer can open, over both families, and they agree."""
        answers = {family: [port for port in ports
                            if self.into(port, family, timeout=0.4) == "open"]
                   for family in FAMILIES}
        self.assertEqual(answers[4], answers[6])
        return answers[4]
