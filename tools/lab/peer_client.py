# SPDX-License-Identifier: Apache-2.0
"""The near end of a peer process: one JSON request a line, answers as they come."""
import json
import subprocess
import threading

from slow import patient

MARGIN = 15.0  # seconds beyond what an operation may take itself


class AgentGone(RuntimeError):
    """The process ended, or did not answer in time."""


class Agent:
    """A peer.py, started in its place. Calls may come from several threads."""

    def __init__(self, command, title):
        self.title = title
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.lock = threading.Lock()
        self.waiting = {}
        self.count = 0
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.pid = self.call("hello")["pid"]

    def _read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            with self.lock:
                slot = self.waiting.pop(answer["id"], None)
            if slot is not None:
                slot["answer"] = answer
                slot["ready"].set()
        with self.lock:
            left, self.waiting = self.waiting, {}
        for slot in left.values():
            slot["ready"].set()

    def begin(self, op, **arguments):
        """Asks, and returns what `finish` wants; several may be under way at once."""
        slot = {"ready": threading.Event(), "answer": None, "op": op,
                "patience": patient(arguments.get("timeout", 5.0) + MARGIN)}
        with self.lock:
            self.count += 1
            number = self.count
            self.waiting[number] = slot
            try:
                self.process.stdin.write(json.dumps({"id": number, "op": op, **arguments}) + "\n")
                self.process.stdin.flush()
            except (OSError, ValueError) as error:
                del self.waiting[number]
                raise AgentGone(f"{self.title}: {op}: {error}") from error
        return slot

    def finish(self, slot):
        slot["ready"].wait(slot["patience"])
        if slot["answer"] is None:
            raise AgentGone(f"{self.title}: no answer to {slot['op']}")
        if "failed" in slot["answer"]:
            raise RuntimeError(f"{self.title}: {slot['op']}: {slot['answer']['failed']}")
        return slot["answer"]["value"]

    def call(self, op, **arguments):
        return self.finish(self.begin(op, **arguments))

    def result(self, op, **arguments):
        """Only the one word of a probe's outcome."""
        return self.call(op, **arguments)["result"]

    def close(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5.0)
        self.process.stdout.close()
