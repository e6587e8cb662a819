# SPDX-License-Identifier: Apache-2.0
"""fish and zsh complete what bash does, by their own means: fish says what it would offer, zsh
is typed at through a terminal."""
import os
import pty
import select
import shutil
import subprocess
import time
import unittest

import package
from completing import Completing

# A key that writes the line as it stands, when what was typed before it is done.
ZSHRC = r"""
PROMPT= RPS1= KEYTIMEOUT=1
fpath=("$COMPLETIONS" $fpath)
autoload -Uz compinit && compinit -u -D
setopt no_beep no_auto_list menu_complete
report() { print -r -- "$BUFFER" >"$REPORT.new"; command mv "$REPORT.new" "$REPORT" }
zle -N report
bindkey '^X' report
"""
PATIENCE = 30


@unittest.skipUnless(shutil.which("fish"), "fish is not installed")
class Fish(Completing):
    def typed(self, line):
        """What fish offers at the end of the line, without what it means."""
        script = os.path.join(package.unpacked(),
                              "usr/share/fish/vendor_completions.d/sallyport.fish")
        done = subprocess.run([*self.mount, "fish", "--no-config", "-c",
                               "source $argv[1]; complete -C $argv[2]", script, line],
                              text=True, capture_output=True, timeout=60, check=True,
                              env={**self.environment(), "HOME": self.place.name})
        self.assertEqual(done.stderr, "")
        return sorted(one.split("\t")[0] for one in done.stdout.splitlines())

    def test_commands_options_and_values_are_completed(self):
        self.assertEqual(self.typed("sallyport roll"), ["rollback"])
        self.assertIn("explain", self.typed("sallyport "))
        self.assertEqual(self.typed("sallyport apply --c"), ["--confirm"])
        self.assertEqual(self.typed("sallyport tail --direction "),
                         ["egress", "forward", "ingress"])
        self.assertEqual(self.typed("sallyport tail --reason no-ru"), ["no-rule"])
        self.assertEqual(self.typed("sallyport tail --rule "), ["model for all", "ssh"])
        self.assertEqual(self.typed("sallyport ban fd00:"), ["fd00:7::/32"])

    def test_files_are_completed_where_a_file_is_wanted_and_nowhere_else(self):
        self.assertEqual(self.typed("sallyport apply o"), ["open.toml", "other.txt"])
        self.assertEqual(self.typed("sallyport run --config=op"), ["--config=open.toml"])
        self.assertEqual(self.typed("sallyport audit --services "), ["directory/"])
        self.assertEqual(self.typed("sallyport status o"), [])


@unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
class Zsh(Completing):
    def setUp(self):
        self.report = os.path.join(self.place.name, "report")
        with open(os.path.join(self.place.name, ".zshrc"), "w", encoding="utf-8") as file:
            file.write(ZSHRC)
        pid, self.terminal = pty.fork()
        if pid == 0:
            place = os.path.join(package.unpacked(), "usr/share/zsh/vendor-completions")
            os.execvpe(self.mount[0], [*self.mount, "zsh", "-i"],
                       {**self.environment(), "ZDOTDIR": self.place.name, "TERM": "dumb",
                        "REPORT": self.report, "COMPLETIONS": place})
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.close, self.terminal)  # it ends of it

    def keys(self, text):
        """Types it, and returns the line as it stands then."""
        if os.path.exists(self.report):
            os.unlink(self.report)
        os.write(self.terminal, (text + "\x18").encode())
        until = time.monotonic() + PATIENCE
        while not os.path.exists(self.report):
            self.assertLess(time.monotonic(), until, "zsh does not answer")
            if select.select([self.terminal], [], [], 0.05)[0]:
                os.read(self.terminal, 65536)
        with open(self.report, encoding="utf-8") as file:
            return file.read().removesuffix("\n")

    def typed(self, line, tabs=1):
        """The line after each of so many tabs."""
        found = [self.keys("\x15" + line + "\t")]  # in place of what stood there
        return found + [self.keys("\t") for _ in range(tabs - 1)]

    def test_commands_options_and_values_are_completed(self):
        for line, becomes in (("sallyport roll", "sallyport rollback "),
                              ("sallyport apply --c", "sallyport apply --confirm "),
                              ("sallyport tail --reason no-ru", "sallyport tail --reason no-rule "),
                              ("sallyport tail --rule mod",
                               "sallyport tail --rule model\\ for\\ all "),
                              ("sallyport ban fd00:", "sallyport ban fd00:7::/32 "),
                              ("sallyport tail --src adm", "sallyport tail --src 192.0.2.0/24 ")):
            self.assertEqual(self.typed(line), [becomes])
        found = self.typed("sallyport tail --direction ", tabs=3)
        self.assertEqual({line.split()[-1] for line in found}, {"egress", "forward", "ingress"})

    def test_files_are_completed_where_a_file_is_wanted_and_nowhere_else(self):
        self.assertEqual(self.typed("sallyport apply ope"), ["sallyport apply open.toml "])
        self.assertEqual(self.typed("sallyport audit --services d"),
                         ["sallyport audit --services directory/"])
        self.assertEqual(self.typed("sallyport status o"), ["sallyport status o"])


if __name__ == "__main__":
    unittest.main()
