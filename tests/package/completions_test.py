# SPDX-License-Identifier: Apache-2.0
"""Bash completes a command line as it is typed, without a daemon, and without root."""
import os
import re
import subprocess
import time

import package
from completing import POLICY, Completing

# As bash cuts a line into words; COMP_WORDBREAKS has these.
WORDS = re.compile(r"[:=]+|(?:\\.|\"[^\"]*\"?|[^\s:=])+")
SCRIPT = """source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_sallyport; printf '%s\\n' "${COMPREPLY[@]}\""""


class Completions(Completing):
    def typed(self, line, user=None):
        """What bash offers at the end of the line."""
        words = WORDS.findall(line) + ([""] if line.endswith(" ") else [])
        become = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
        done = subprocess.run(
            [*self.mount, *become, "bash", "--norc", "-c", SCRIPT, "bash",
             os.path.join(package.unpacked(), "usr/share/bash-completion/completions/sallyport"),
             *words], text=True, capture_output=True, timeout=60, check=True,
            env=self.environment())
        self.assertEqual(done.stderr, "")
        return sorted(filter(None, done.stdout.split("\n")))

    def test_commands_and_their_own_options_are_completed(self):
        self.assertEqual(self.typed("sallyport roll"), ["rollback"])
        self.assertIn("explain", self.typed("sallyport "))
        self.assertNotIn("complete", self.typed("sallyport c"))
        self.assertEqual(self.typed("sallyport jail "), ["test"])
        self.assertEqual(self.typed("sallyport apply --c"), ["--confirm"])
        self.assertEqual(self.typed("sallyport check --c"), [])
        self.assertEqual(self.typed("sallyport status --state"), ["--state-dir"])
        self.assertNotIn("--strict", self.typed("sallyport check --strict --"))

    def test_values_that_are_some_words_are_completed(self):
        self.assertEqual(self.typed("sallyport tail --direction "), ["egress", "forward", "ingress"])
        self.assertEqual(self.typed("sallyport tail --reason no-ru"), ["no-rule"])
        self.assertEqual(self.typed("sallyport tail --reason=no-ru"), ["no-rule"])
        self.assertEqual(self.typed("sallyport import ip"), ["ip6tables", "iptables"])
        self.assertEqual(self.typed("sallyport guard lo"), ["lo"])

    def test_rules_and_jails_are_those_of_the_policy(self):
        self.assertEqual(self.typed("sallyport tail --rule "), ["model\\ for\\ all", "ssh"])
        self.assertEqual(self.typed('sallyport tail --rule "mod'), ["model for all"])
        self.assertEqual(self.typed("sallyport tail --rule x"), [])
        self.assertIn("api-keys", self.typed("sallyport jail test api"))

    def test_a_name_that_is_shell_is_no_more_than_a_name(self):
        name = "it's $(touch ran) `touch ran` \\ end"
        self.write(POLICY.replace('"ssh"', "'''" + name + "'''"))
        self.addCleanup(self.write, POLICY)
        for quote in ("", '"', "'"):
            found = self.typed(f"sallyport tail --rule {quote}it")
            self.assertEqual(len(found), 1)
            done = subprocess.run(["bash", "--norc", "-c", f"printf %s {quote}{found[0]}{quote}"],
                                  capture_output=True, text=True, check=True, cwd=self.place.name,
                                  timeout=60)
            self.assertEqual(done.stdout, name)
        self.assertFalse(os.path.exists(os.path.join(self.place.name, "ran")))

    def test_networks_are_those_of_the_zones_and_a_zones_name_stands_for_its_own(self):
        self.assertEqual(self.typed("sallyport tail --src 10"), ["10.7.0.0/16"])
        self.assertEqual(self.typed("sallyport tail --src adm"), ["192.0.2.0/24"])
        self.assertEqual(self.typed("sallyport ban lan"), ["10.7.0.0/16", "fd00:7::/32"])
        # bash replaces what is behind the colon.
        self.assertEqual(self.typed("sallyport ban fd00:"), ["7::/32"])

    def test_files_are_completed_where_a_file_is_wanted_and_nowhere_else(self):
        self.assertEqual(self.typed("sallyport apply o"), ["open.toml", "other.txt"])
        self.assertEqual(self.typed("sallyport run --config=op"), ["open.toml"])
        self.assertEqual(self.typed("sallyport audit --services "), ["directory"])
        self.assertEqual(self.typed("sallyport status o"), [])

    def test_without_root_and_without_a_policy_it_is_silent(self):
        self.assertEqual(self.typed("sallyport tail --rule s", user=65534), ["ssh"])
        for broken in ("", "schema = 1\n[host", "\0\0"):
            self.write(broken)
            self.addCleanup(self.write, POLICY)
            self.assertEqual(self.typed("sallyport tail --rule "), [])
            self.assertEqual(self.typed("sallyport roll"), ["rollback"])
        self.assertEqual(self.typed("sallyport nonsense --of=any kind: "), [])

    def test_an_answer_takes_no_longer_than_a_key_press(self):
        self.typed("sallyport tail --rule ")
        taken = []
        for _ in range(5):
            begun = time.monotonic()
            subprocess.run([package.unpacked() + "/usr/sbin/sallyport", "complete", "tail", "--rule", ""],
                           check=True, capture_output=True, timeout=60)
            taken.append(time.monotonic() - begun)
        self.assertLess(min(taken), 0.5)
