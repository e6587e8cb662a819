# SPDX-License-Identifier: Apache-2.0
"""The manual pages of the package say what the commands and the parser know, and are clean."""
import glob
import os
import re
import shutil
import subprocess
import unittest

import package

COMMAND = re.compile(r"^  ([a-z][a-z-]*) {2,}\S", re.M)
OPTION = re.compile(r"^  (-[^ ]+)", re.M)
POSITIONALS = re.compile(r"^Positionals:\n((?:  .*\n)+)", re.M)
# Fields::get("key"), read_rate(rule, "key"), and loops over keys.
KEY = re.compile(r'(?:\b(?:get|need|flag|number|duration|choice)(?:<[^>]*>)?\(|\bread_\w+\(\w+,)'
                 r'\s*"([a-z0-9-]+)"')


def told(*arguments):
    return subprocess.run([os.path.join(package.BUILD, "sallyport"), *arguments, "--help"],
                          check=True, capture_output=True, text=True, timeout=60).stdout


def page(name):
    section = name.rsplit(".", 1)[1]
    return os.path.join(package.unpacked(), f"usr/share/man/man{section}/{name}.gz")


def shown(name):
    """As a reader sees it; --json is no place to break a line."""
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page(name)], text=True,
                          check=True, capture_output=True, timeout=60,
                          env={**os.environ, "MANWIDTH": "90", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"})
    return done.stdout, done.stderr


def commands(path=()):
    """Every command as a list of words, with what its --help says."""
    text = told(*path)
    yield path, text
    listed = text.partition("\nSubcommands:\n")[2].partition("\n\n")[0]
    for name in COMMAND.findall(listed):
        yield from commands((*path, name))


class Manual(unittest.TestCase):
    def test_every_command_and_option_of_help_is_in_the_manual_page(self):
        text = shown("sallyport.8")[0]
        listed = list(commands())
        self.assertGreater(len(listed), 19)
        for path, said in listed:
            part = text
            if path:
                found = re.search(rf"^   {' '.join(path)}\n(.*?)(?=^   \S|^\S)", text, re.M | re.S)
                self.assertTrue(found, f"{' '.join(path)} has no section")
                part = found.group(1)
            wanted = [n for option in OPTION.findall(said) for n in option.split(",")]
            for block in POSITIONALS.findall(said):
                wanted += re.findall(r"^  ([A-Z]+)", block, re.M)
            for name in wanted:
                if name in ("-h", "--help") and path:
                    continue
                self.assertTrue(
                    re.search(rf"(?m)^       (?:-\w, |.*, )?{re.escape(name)}(?=[ ,\n])", part),
                    f"{name} is not in the section of {' '.join(path)}")

    def test_the_manual_page_has_no_command_that_is_none(self):
        text = shown("sallyport.8")[0]
        part = text.partition("\nCOMMANDS\n")[2].partition("\nOPTIONS\n")[0]
        self.assertEqual(sorted(re.findall(r"^   (\S.*)$", part, re.M)),
                         sorted(" ".join(path) for path, _ in commands() if path))

    def test_every_key_of_a_policy_is_in_its_manual_page(self):
        keys = set()
        for file in glob.glob(os.path.join(package.ROOT, "src/config/*.cpp")):
            with open(file, encoding="utf-8") as source:
                keys |= set(KEY.findall(source.read()))
        self.assertLessEqual({"interfaces", "limit-total", "after-probes", "ban-time-max",
                              "link-protocols", "never", "schema", "syn-cookies"}, keys)
        self.assertGreater(len(keys), 65)
        text = shown("sallyport-policy.5")[0]
        for key in sorted(keys):
            self.assertTrue(re.search(rf"(?m)^ *(?:\S+, |\S+ or )*\[*{key}\b", text),
                            f"{key} begins no line of the page")

    def test_the_pages_are_clean(self):
        for name in ("sallyport.8", "sallyport-policy.5"):
            self.assertEqual(shown(name)[1], "", name)
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", page(name)], text=True,
                                  capture_output=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, ""), name)

    def test_the_completions_are_sound_for_the_shells_that_are_here(self):
        place = os.path.join(package.unpacked(), "usr/share")
        for shell, file in (("bash", "bash-completion/completions/sallyport"),
                            ("zsh", "zsh/vendor-completions/_sallyport"),
                            ("fish", "fish/vendor_completions.d/sallyport.fish")):
            self.assertTrue(os.path.exists(os.path.join(place, file)))
            if shutil.which(shell):
                subprocess.run([shell, "-n", os.path.join(place, file)], check=True, timeout=60)
