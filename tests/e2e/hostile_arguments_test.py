# SPDX-License-Identifier: Apache-2.0
"""Every verb with arguments and files that are wrong, missing, endless, huge or hostile."""
import json
import os
import re
import socket
import subprocess
import threading

from harness import E2e
from slow import patient

# A verb's first argument that is a file, and what else it needs to get as far as that.
FILES = {"check": ("check", "FILE"), "apply": ("apply", "FILE"), "diff": ("diff", "FILE", "FILE"),
         "jail": ("jail", "test", "FILE", "a line"), "jail log": ("jail", "test", "x <HOST>", "FILE"),
         "import iptables": ("import", "iptables", "FILE"), "import ufw": ("import", "ufw", "FILE"),
         "import nft": ("import", "nft", "FILE"), "learn": ("learn", "--from", "FILE", "-c", "GOOD"),
         "learn policy": ("learn", "--from", "EMPTY", "-c", "FILE"),
         "explain": ("explain", "--pcap", "FILE"), "audit": ("audit", "--own-namespace", "-c", "FILE"),
         "run": ("run", "-c", "FILE"), "audit services": ("audit", "--services", "FILE")}
HOSTILE = "\x1b]0;title\x07\x1b[2J\u202e\nsallyport: all is well"
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
NEVER = ("what():", "json.exception", "terminate called", "broken invariant", "std::")
MOST_SAID = 20_000


class Asking(E2e):
    def ask(self, *words, code=(1, 2, 3, 4), stdin=subprocess.DEVNULL, **options):
        done = subprocess.run(self.guard.command(*words), stdin=stdin, capture_output=True,
                              timeout=patient(20.0), env=self.guard.environment, check=False, **options)
        said = (done.stdout + done.stderr).decode()
        case = " ".join(words)[:200]
        self.assertIn(done.returncode, code, (case, said[-2000:]))
        self.assertIsNone(STEERS.search(said), (case, said[:2000]))
        self.assertLess(len(said), MOST_SAID, case)
        for word in NEVER:
            self.assertNotIn(word, said, case)
        if done.returncode > 1:
            self.assertTrue(done.stderr.strip(), case)
        self.assertNotRegex(said, "(?m)^sallyport: all is well", case)
        return said


class Bad(Asking):
    def verbs(self):
        """Those that the binary itself names, so that a new one is not forgotten."""
        tree = json.loads(self.guard.call("complete", "--tree").stdout)
        return {command["name"]: [one["name"] for one in command["commands"]]
                for command in tree["commands"]}

    def test_words_that_no_verb_knows(self):
        for verb, subcommands in self.verbs().items():
            for words in ((verb,), *((verb, one) for one in subcommands)):
                for wrong in ("--nonsense", "--" + HOSTILE, "\udcff\udcfe", "-" + "x" * 100_000):
                    # Bytes are a word like another to a verb that takes one.
                    self.ask(*words, wrong, code=(2, 3, 4) if wrong[0] == "-" else (0, 1, 2, 3, 4))
        self.ask(HOSTILE, code=(2,))
        self.ask("x" * 100_000, code=(2,))

    def bad_files(self):
        """{what: path}"""
        def path(name):
            return os.path.join(self.guard.directory, name)

        def write(name, content):
            with open(path(name), "wb") as file:
                file.write(content)
            os.chmod(path(name), 0o600)
            return path(name)
        for name in ("fifo", "loop", "sparse"):
            if os.path.lexists(path(name)):
                os.unlink(path(name))
        os.mkfifo(path("fifo"))
        os.symlink("loop", path("loop"))
        with open(path("sparse"), "wb") as file:
            file.truncate(30 << 30)
        return {"missing": path("not-there"), "directory": self.guard.directory,
                "a FIFO": path("fifo"), "a loop": path("loop"), "endless": "/dev/zero",
                "30 GB": path("sparse"), "binary": write("binary", bytes(range(256)) * 64),
                "zeroes": write("zeroes", bytes(4096)),
                "hostile name": write(HOSTILE.replace("/", ""), b"\x1b[2J = [" + HOSTILE.encode()),
                "a value of megabytes": write("long", b'schema = 1\n[host]\nmode = "' +
                                              b"y" * 5_000_000 + b'"\n'),
                "deep": write("deep", b"a = " + b"[" * 200_000),
                "a name that is too long": "/" + "n" * 5000}

    def test_files_that_are_none(self):
        files = self.bad_files()
        good = self.guard.write_policy(self.policy(""), "good.toml")
        empty = self.guard.write_policy("", "empty.jsonl")
        for verb, words in FILES.items():
            for what, file in files.items():
                if what == "30 GB" and verb in ("jail log", "learn"):
                    continue  # a log may be as long as it likes: it is read by the line
                given = [{"FILE": file, "GOOD": good, "EMPTY": empty}.get(word, word)
                         for word in words]
                with self.subTest(verb=verb, what=what):
                    # A log without a match and a file without events are answers.
                    lenient = verb in ("learn", "jail log", "jail")
                    self.ask(*given, code=(0, 1, 2, 3, 4) if lenient else (1, 2, 3, 4))

    def test_a_file_that_others_may_write_is_not_obeyed(self):
        file = self.guard.write_policy(self.policy(""), "loose.toml", mode=0o666)
        for words in (("run", "-c", file), ("apply", file)):
            self.assertIn("written by others", self.ask(*words, code=(2, 3, 4)))


# Of a daemon that is not of this version, or none at all.
ANSWERS = {"of another shape": b'{"ok":true,"state":7,"hooks":"x","policies":3,"bans":7,"entries":1}\n',
           "empty": b'{"ok":true}\n', "no object": b"[1,2]\n", "garbage": b"\xff\xfe\x00\x1b[2J\n",
           "a refusal of another shape": b'{"ok":false,"error":["x"],"hint":{}}\n',
           "unknown": b'{"ok":false,"error":"unknown command \\"x\\"\\u001b[2J"}\n',
           "an endless list": b'{"ok":true,"active":1,"bans":[],"lists":[],"next":"10.9.9.9/32"}\n',
           "nothing": b"", "half a line": b'{"ok":tr',
           "deep": b'{"ok":true,"hooks":' + b"[" * 100_000 + b"\n"}


class OtherDaemon(Asking):
    """What answers on the control socket is not what this command knows."""

    def serve(self, answer):
        directory = self.guard.environment["SALLYPORT_RUN_DIR"]
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, "control.sock")
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)

        def work():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    try:
                        client.recv(65536)
                        client.sendall(answer)
                    except OSError:
                        pass
        thread = threading.Thread(target=work, daemon=True)
        thread.start()

        def end():
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            os.unlink(path)
            thread.join(5)
        return end

    def test_each_verb_says_so_and_ends(self):
        policy = self.guard.write_policy(self.policy(""), "good.toml")
        asked = (("status",), ("status", "--json"), ("metrics",), ("tail", "--count", "1"),
                 ("apply", policy), ("confirm",), ("rollback",), ("history",), ("bans",),
                 ("ban", "192.0.2.1"), ("unban", "192.0.2.1"), ("panic",), ("panic", "--off"),
                 ("guard", "eth0"), ("learn", "--for", "1s"), ("explain", "--event", "last"))
        for what, answer in ANSWERS.items():
            end = self.serve(answer)
            try:
                for words in asked:
                    with self.subTest(what=what, words=words):
                        self.ask(*words, code=(0, 1, 3, 4))
            finally:
                end()

    def test_down_believes_nobody(self):
        self.begin("")
        self.guard.kill()
        end = self.serve(b'{"ok":true}\n')
        self.assertEqual(self.guard.call("down").returncode, 0)
        end()
        status = self.guard.status()
        self.assertEqual(status["state"], "not-protected")
        self.assertEqual([n for _, _, files in os.walk(self.guard.pins) for n in files], [])
