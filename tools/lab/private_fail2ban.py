# SPDX-License-Identifier: Apache-2.0
"""A fail2ban of a lab's own: its directory, socket and log; nothing of the machine's.

One jail, "api", reads one log by one expression and bans for so many seconds. The program
is the one that scripts/setup has unpacked into build/fail2ban, or that is installed:
to install it would set it to work on this machine.
"""
import os
import shutil
import subprocess
import time

from slow import patient

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.path.join(os.path.dirname(HERE), "packaging", "fail2ban", "action.d", "sallyport.conf")
PLACES = (os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "fail2ban"), "/")
ROOT = next((place for place in PLACES
             if os.path.exists(os.path.join(place, "usr/bin/fail2ban-server"))), None)
MISSING = "there is no fail2ban: scripts/setup unpacks it"


def file_of_theirs(*parts):
    return os.path.join(ROOT, *parts)


class Fail2ban:
    def __init__(self, guard):
        self.guard = guard
        self.directory = os.path.join(guard.directory, "fail2ban")
        self.environment = {**guard.environment,
                            "PYTHONPATH": file_of_theirs("usr/lib/python3/dist-packages")}
        self.server = None

    def file_of(self, name):
        return os.path.join(self.directory, name)

    def put(self, name, text):
        with open(self.file_of(name), "w", encoding="utf-8") as file:
            file.write(text)

    def configure(self, log, expression, ban_time, action):
        for part in ("action.d", "filter.d"):
            os.makedirs(self.file_of(part), exist_ok=True)
        shutil.copy(OURS, self.file_of("action.d"))
        actions = file_of_theirs("etc/fail2ban/action.d")
        for name in os.listdir(actions):
            if name.startswith("nftables") and name.endswith(".conf"):
                shutil.copy(os.path.join(actions, name), self.file_of("action.d"))
        self.put("fail2ban.conf", "[Definition]\nloglevel = INFO\n"
                 f"logtarget = {self.file_of('log')}\nsocket = {self.file_of('socket')}\n"
                 f"pidfile = {self.file_of('pid')}\ndbfile = None\nsyslogsocket = auto\n"
                 "allowipv6 = yes\n")
        self.put("filter.d/api.conf", f"[Definition]\nfailregex = {expression}\n")
        self.put("jail.conf", "[DEFAULT]\nignoreip =\nignoreself = false\nusedns = no\n"
                 f"[api]\nenabled = true\nbackend = auto\nlogpath = {log}\nfilter = api\n"
                 f"maxretry = 3\nfindtime = 600\nbantime = {ban_time}\naction = {action}\n")

    def start(self, log, expression, ban_time, action):
        """Returns when its jail reads the log, which must be there."""
        self.configure(log, expression, ban_time, action)
        if os.path.exists(self.file_of("log")):
            os.unlink(self.file_of("log"))
        self.server = self.guard.lab.start(
            self.command("fail2ban-server", "-f", "start"), env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not self.wait_said("Jail 'api' started"):
            raise RuntimeError("fail2ban did not start:\n" + self.said())

    def command(self, program, *words):
        """What a program of fail2ban's is started with, in the guarded machine."""
        return self.guard.host.command([file_of_theirs("usr/bin", program), "-c", self.directory, "-s", self.file_of("socket"),
                                        "-p", self.file_of("pid"), *words])

    def client(self, *words):
        subprocess.run(self.command("fail2ban-client", *words), check=True, capture_output=True,
                       timeout=patient(30.0), env=self.environment)

    def said(self):
        try:
            with open(self.file_of("log"), encoding="utf-8") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def wait_said(self, text, patience=30.0):
        until = time.monotonic() + patient(patience)
        while text not in self.said():
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def stop(self):
        """Ends it, by its own way out, which lifts what it has banned."""
        if self.server is None:
            return
        if self.server.poll() is None:
            self.server.terminate()
        self.server.wait(patient(30.0))
        self.server = None
