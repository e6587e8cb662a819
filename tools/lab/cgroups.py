# SPDX-License-Identifier: Apache-2.0
"""cgroups of our own under the version 2 hierarchy, wherever that is mounted."""
import os
import time


class NotHere(RuntimeError):
    """The machine lacks what a lab is built from; the message says what."""


def unescaped(field):
    """A path of mountinfo, where blanks and backslashes are written in octal."""
    return field.encode().decode("unicode_escape") if "\\" in field else field


def mount_point(kind):
    """Where the first file system of that kind is mounted, or None."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        for line in mounts:
            left, _, right = line.partition(" - ")
            # The root of the mount must be the root of the file system.
            if right.split()[0] == kind and left.split()[3] == "/":
                return unescaped(left.split()[4])
    return None


def hierarchy():
    found = mount_point("cgroup2")
    if found is None:
        raise NotHere("no cgroup2 file system is mounted; mount one with: "
                      "mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified")
    return found


class Cgroup:
    """A cgroup at `path` below the hierarchy's root ("/sallyport-x-1/system.slice")."""

    def __init__(self, path):
        self.path = path
        self.directory = hierarchy() + path

    def make(self):
        os.makedirs(self.directory, exist_ok=True)
        return self

    def child(self, path):
        return Cgroup(f"{self.path}/{path}").make()

    def processes(self):
        """Ids of the processes in it and below."""
        found = []
        for directory, _, _ in os.walk(self.directory):
            try:
                with open(os.path.join(directory, "cgroup.procs"), encoding="ascii") as procs:
                    found += [int(line) for line in procs]
            except OSError:
                continue
        return found

    def remove(self, patience=5.0):
        """Ends what runs in it and removes it with all below; False when something stays."""
        until = time.monotonic() + patience
        while os.path.isdir(self.directory):
            for pid in self.processes():
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            for directory, _, _ in os.walk(self.directory, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass
            if time.monotonic() > until:
                return not os.path.isdir(self.directory)
            if os.path.isdir(self.directory):
                time.sleep(0.02)
        return True
