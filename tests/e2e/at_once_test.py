# SPDX-License-Identifier: Apache-2.0
"""Changes of policy that come at once, and what the control socket is told by the hostile."""
import json
import os
import random
import shutil
import socket
import subprocess
import unittest

from harness import PEER, E2e, both, rule
from slow import patient

ONE = rule("ingress", "web", both(PEER), ports=[80])
TWO = rule("ingress", "api", both(PEER), ports=[81])
CHANGES = ("apply", "confirm", "rollback", "panic", "ban", "unban", "guard", "down")
AS_NOBODY = """
import json, os, socket, sys
os.chdir(sys.argv[1])  # above it he may not go
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for line in json.load(sys.stdin):
    asks = socket.socket(socket.AF_UNIX)
    asks.settimeout(20)
    asks.connect("control.sock")
    asks.sendall(line.encode() + b"\\n")
    print(asks.makefile().readline().strip())
"""


class AtOnce(E2e):
    def setUp(self):
        super().setUp()
        self.end()
        shutil.rmtree(os.path.join(self.guard.directory, "state"), ignore_errors=True)
        self.begin(ONE)
        self.socket = os.path.join(self.guard.environment["SALLYPORT_RUN_DIR"], "control.sock")

    def files(self):
        return [self.guard.write_policy(self.policy(rules), name)
                for rules, name in ((ONE, "one.toml"), (TWO, "two.toml"))]

    def all_at_once(self, commands):
        """(exit code, what it said) of each."""
        started = [subprocess.Popen(self.guard.command(*command, "--json"), text=True,
                                    env=self.guard.environment, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE) for command in commands]
        said = [process.communicate(timeout=patient(60.0)) for process in started]
        return [(process.returncode, out, err)
                for process, (out, err) in zip(started, said, strict=True)]

    def ask(self, line):
        asks = socket.socket(socket.AF_UNIX)
        with asks:
            asks.settimeout(patient(20.0))
            asks.connect(self.socket)
            asks.sendall(line + b"\n")
            return asks.makefile("rb").readline()

    def test_applies_wait_for_each_other_and_each_is_whole(self):
        files = self.files()
        done = self.all_at_once([("apply", files[i % 2]) for i in range(6)])
        self.assertEqual([code for code, _, _ in done], [0] * 6, done)
        generations = [json.loads(out)["generation"] for _, out, _ in done]
        self.assertEqual(sorted(generations), list(range(2, 8)))
        history = json.loads(self.guard.call("history", "--json").stdout)["policies"]
        self.assertEqual([one["generation"] for one in history], list(range(7, 0, -1)))
        status = self.guard.status()
        self.assertEqual((status["generation"], status["policy"]["sha256"]),
                         (7, history[0]["sha256"]))
        last = {history[0]["file"]: history[0]["file"].endswith("one.toml")}.popitem()[1]
        self.assertEqual([one["name"] for one in status["rules"]], ["web" if last else "api"])

    def test_of_trials_that_come_at_once_one_is_tried_and_the_others_are_refused(self):
        files = self.files()
        done = self.all_at_once([("apply", files[i % 2], "--confirm", "60s") for i in range(4)])
        self.assertEqual(sorted(code for code, _, _ in done), [0, 3, 3, 3], done)
        self.assertEqual(sum("is on trial" in out + err for _, out, err in done), 3, done)
        self.assertEqual(self.guard.status()["generation"], 2)
        self.assertEqual(self.guard.call("rollback").returncode, 0)

    def test_without_a_daemon_one_goes_back_and_no_other_is_half_way(self):
        one, two = self.files()
        for file in (two, one, two):
            self.assertEqual(self.guard.call("apply", file).returncode, 0)
        self.guard.kill()
        done = self.all_at_once([("rollback",)] * 3)
        self.assertTrue({code for code, _, _ in done} <= {0, 1, 3}, done)
        went = sum(code == 0 for code, _, _ in done)
        self.assertGreaterEqual(went, 1, done)
        self.assertEqual(self.guard.status()["generation"], 4 + went)
        self.assertEqual(self.guard.status()["state"], "protected")

    def test_who_may_only_look_changes_nothing(self):
        os.chmod(self.socket, 0o666)  # as if he were of the group
        directory = os.path.dirname(self.socket)
        os.chmod(directory, 0o755)
        lines = [json.dumps({"cmd": command, "file": self.file, "address": "10.1.0.2",
                             "network": "10.1.0.2", "name": "eth0", "force": True})
                 for command in CHANGES] + ['{"cmd":"history"}', '{"cmd":"status"}']
        done = subprocess.run(
            self.host.command(["python3", "-c", AS_NOBODY, directory]), text=True,
            input=json.dumps(lines), capture_output=True, timeout=patient(60.0), check=False)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([answer["ok"] for answer in answers],
                         [False] * len(CHANGES) + [True, True], (done.stdout, done.stderr))
        for answer in answers[:len(CHANGES)]:
            self.assertIn("only root", json.dumps(answer))
        status = self.guard.status()
        self.assertEqual((status["generation"], status["bans"]["active"], status["state"]),
                         (1, 0, "protected"))

    def test_hostile_lines_for_the_commands_that_change_are_answered_and_change_nothing(self):
        pipe = os.path.join(self.guard.directory, "pipe")
        os.mkfifo(pipe)
        self.addCleanup(os.unlink, pipe)
        values = [None, True, -1, 0.5, 2**63, 2**64, 1e300, "", "x", "../../etc/passwd", "/", pipe,
                  "/dev/zero", "/proc/kmsg", "/nowhere\0.toml", "\ud800", "a" * 5000, [], [[]],
                  {}, {"cmd": "down"}]
        dice = random.Random(7)
        for number in range(150):
            request = {"cmd": ("apply", "rollback", "panic")[number % 3]}
            if request["cmd"] == "panic":
                request["trial"] = dice.choice([-1, "x", [], {}, 2**40, None])
            if request["cmd"] == "rollback":
                request["number"] = dice.choice([-1, "x", [], {}, 2**40, None, 4_000_000_000])
            for key in dice.sample(["file", "force", "message", "off"], 3):
                request[key] = dice.choice(values)
            if request["cmd"] == "panic" and request.get("off") is True:
                del request["off"]
            answer = json.loads(self.ask(json.dumps(request).encode()) or b"{}")
            self.assertTrue(answer.get("ok") is False or answer.get("changed") is False,
                            (request, answer))
        for line in (b'{"cmd":"apply","file":', b'{"cmd":"confirm"}\0', b"\xff" * 1000,
                     b'{"cmd":["apply"]}', b'[{"cmd":"down"}]', b"[" * 5000,
                     b'{"cmd":"apply\\u0000"}', b'{"cmd":"explain"}', b'{"cmd":"APPLY"}'):
            self.assertNotIn(b'"ok":true', self.ask(line), line)
        status = self.guard.status()
        self.assertEqual((status["generation"], status["trial"], status["state"]),
                         (1, None, "protected"))


if __name__ == "__main__":
    unittest.main()
