# SPDX-License-Identifier: Apache-2.0
"""The package of the build that is tested, and what is made of it once."""
import functools
import os
import re
import subprocess

import clean_root

ROOT = clean_root.ROOT
BUILD = os.path.abspath(os.environ.get("SP_BUILD", os.path.join(ROOT, "build", "release")))


def directory(name):
    return os.path.join(ROOT, "build", "package", name)


def make(*arguments):
    return subprocess.run([os.path.join(ROOT, "tools", "packaging", "deb", "build"), "-B", BUILD,
                           "-o", directory("debs"), "-Z", "gzip", *arguments], check=True, text=True,
                          stdout=subprocess.PIPE, timeout=300).stdout.strip()


@functools.lru_cache
def first():
    return make()


@functools.lru_cache
def second():
    """The same as a later version."""
    return make("-V", version() + "+1")


@functools.lru_cache
def version():
    return subprocess.run([os.path.join(BUILD, "sallyport"), "--version"], check=True, text=True,
                          capture_output=True, timeout=60).stdout.split()[-1]


@functools.lru_cache
def unpacked():
    """The package's files, in a directory."""
    place = directory("files")
    subprocess.run(["rm", "-rf", place], check=True)
    subprocess.run(["dpkg-deb", "-x", first(), place], check=True, timeout=120)
    return place


@functools.lru_cache
def depends():
    return subprocess.run(["dpkg-deb", "-f", first(), "Depends"], check=True, text=True,
                          capture_output=True, timeout=60).stdout


@functools.lru_cache
def base():
    return clean_root.make_base(depends(), directory("base"))


def enabled():
    """The units that have something to enable."""
    place = os.path.join(unpacked(), "usr/lib/systemd/system")
    names = os.listdir(place) if os.path.isdir(place) else []
    found = []
    for name in sorted(names):
        with open(os.path.join(place, name), encoding="utf-8") as file:
            if re.search(r"^\[Install\]", file.read(), re.M):
                found.append(name)
    return found


def started():
    """What the units and udev rules of the package start: paths."""
    found = set()
    for place in ("usr/lib/systemd/system", "usr/lib/udev/rules.d"):
        whole = os.path.join(unpacked(), place)
        for name in sorted(os.listdir(whole)) if os.path.isdir(whole) else []:
            with open(os.path.join(whole, name), encoding="utf-8") as file:
                found |= set(re.findall(r'(?:^Exec\w+=[-+!:@]*|RUN\+="|PROGRAM="|IMPORT\{program\}=")'
                                        r'(/[^\s"]+)', file.read(), re.M))
    return sorted(found)
