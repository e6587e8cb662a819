# SPDX-License-Identifier: Apache-2.0
"""A sallyport of its own inside a lab: the daemon, its commands and its event stream."""
import json
import os
import signal
import socket
import subprocess
import threading
import time

from slow import patient

PATIENCE = patient(60.0)  # seconds for the daemon to be ready or gone; sanitizers and load make it slow


class NotReady(RuntimeError):
    """The daemon ended, or said nothing, before it was ready; carries what it wrote."""

    def __init__(self, message, code, output):
        super().__init__(f"{message}\n{output}")
        self.code = code
        self.output = output


def carries(event, facts):
    """A flag that is not set is left out of an event."""
    return all(event.get(key, False if value is False else None) == value
               for key, value in facts.items())


class Tail:
    """A `sallyport tail --json` that runs; events are kept in the order they came."""

    def __init__(self, guard, *arguments):
        self.process = guard.lab.start(guard.command("tail", "--json", *arguments),
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       env=guard.environment)
        self.events = []
        self.broken = []
        self.arrived = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.arrived:
                try:
                    self.events.append(json.loads(line))
                except ValueError:
                    self.broken.append(line)
                self.arrived.notify_all()
        with self.arrived:
            self.arrived.notify_all()

    def find(self, **facts):
        """The events that carry all of these facts."""
        with self.arrived:
            return [e for e in self.events if carries(e, facts)]

    def wait(self, patience=6.0, **facts):
        """The first such event, or None when none comes in time."""
        until = time.monotonic() + patient(patience)
        while True:
            found = self.find(**facts)
            if found:
                return found[0]
            with self.arrived:
                left = until - time.monotonic()
                if left <= 0 or not self.reader.is_alive():
                    return None
                self.arrived.wait(min(left, 0.2))

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(5.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5.0)
        self.reader.join(5.0)
        self.process.stdout.close()
        self.process.stderr.close()


class Guard:
    """The wall of one machine of a lab. `binary` is the sallyport to run."""

    def __init__(self, lab, host, binary):
        self.lab = lab
        self.host = host
        self.binary = os.path.abspath(binary)
        self.pins = os.path.join(lab.bpffs, host.role)
        self.directory = os.path.join(lab.directory, host.role)
        self.environment = {
            **os.environ, "SALLYPORT_BPFFS": self.pins, "NO_COLOR": "1",
            **{f"SALLYPORT_{which}_DIR": os.path.join(self.directory, which.lower())
               for which in ("RUN", "STATE", "LOG")}}
        os.makedirs(self.directory, 0o700, exist_ok=True)
        self.log = os.path.join(self.directory, "daemon.log")
        self.events_file = os.path.join(self.directory, "log", "events.jsonl")
        self.process = None

    def command(self, *arguments, cgroup=None):
        return self.host.command([self.binary, *arguments], cgroup)

    def call(self, *arguments, timeout=30.0, **options):
        """Any command of sallyport, in the guarded machine; never raises for its exit code."""
        return subprocess.run(self.command(*arguments), capture_output=True, text=True,
                              timeout=patient(timeout), env=self.environment, check=False, **options)

    def write_policy(self, text, name="policy.toml", mode=0o600):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def start(self, policy, *flags):
        """Starts the daemon and returns when it says READY=1."""
        notice = os.path.join(self.directory, "notify")
        if os.path.exists(notice):
            os.unlink(notice)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, \
                open(self.log, "a", encoding="utf-8") as log:
            ready.bind(notice)
            ready.settimeout(0.1)
            begun = log.tell()
            self.process = self.lab.start(self.command("run", "-c", policy, *flags), stdout=log,
                                          stderr=subprocess.STDOUT,
                                          env={**self.environment, "NOTIFY_SOCKET": notice})
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                try:
                    if b"READY=1" in ready.recv(4096):
                        return self
                except socket.timeout:
                    code = self.process.poll()
                    if code is not None:
                        raise NotReady(f"sallyport run ended with {code}", code,
                                       self.said(begun)) from None
        self.kill()
        raise NotReady(f"sallyport run was not ready after {PATIENCE:.0f} s", None,
                       self.said(begun))

    def said(self, since=0):
        """What the daemon has written, from that offset on."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(since)
            return log.read()

    def wait_said(self, text, since=0, patience=10.0):
        until = time.monotonic() + patient(patience)
        while text not in self.said(since):
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def stop(self, number=signal.SIGTERM):
        """Asks the daemon to end and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def kill(self):
        self.stop(signal.SIGKILL)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def down(self):
        return self.call("down")

    def status(self):
        done = self.call("status", "--json")
        if done.returncode not in (0, 1):
            raise RuntimeError(f"status: exit {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def wait_status(self, wanted, patience=15.0):
        """Asks until `wanted(status)` holds; the last status either way."""
        until = time.monotonic() + patient(patience)
        while True:
            status = self.status()
            if wanted(status) or time.monotonic() > until:
                return status
            time.sleep(0.1)

    def tail(self, *arguments):
        return Tail(self, *arguments)

    def events(self, **facts):
        """What the log file holds so far."""
        found = []
        try:
            with open(self.events_file, encoding="utf-8") as file:
                for line in file:
                    if line.endswith("\n"):
                        found.append(json.loads(line))
        except FileNotFoundError:
            pass
        return [e for e in found if carries(e, facts)]


def pump(stream, show):
    """Shows a process's lines as they come; returns the thread that does."""
    def read():
        for line in stream:
            show(line.rstrip("\n"))
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread
