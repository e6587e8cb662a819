# SPDX-License-Identifier: Apache-2.0
"""Puts itself into a cgroup and a network namespace, then becomes a command.

    enter.py [--cgroup DIR] [--netns FILE] [--name COMM] -- COMMAND [ARG...]

`ip netns exec` would remount /sys and hide cgroup2 and bpffs from the command,
so the namespace is entered by setns(2) alone. The cgroup comes first: a socket
belongs to the cgroup its maker was in.
"""
import ctypes
import os
import signal
import sys

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15

libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter_netns(path):
    """Moves the calling thread into the namespace that the file stands for."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        checked(libc.setns(fd, CLONE_NEWNET), f"setns {path}")
    finally:
        os.close(fd)


def enter_cgroup(directory):
    with open(os.path.join(directory, "cgroup.procs"), "w", encoding="ascii") as procs:
        procs.write("0\n")


def set_name(name):
    """The process's comm; the kernel keeps 15 bytes of it. An exec sets it anew."""
    checked(libc.prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0), "prctl")


def main(argv):
    options = {}
    while argv and argv[0] != "--":
        options[argv[0]] = argv[1]
        argv = argv[2:]
    command = argv[1:]
    # Whoever started us is gone: so are we. Survives the exec below.
    checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    if "--cgroup" in options:
        enter_cgroup(options["--cgroup"])
    if "--netns" in options:
        enter_netns(options["--netns"])
    os.execvp(command[0], command)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, IndexError) as error:
        print(f"enter: {error}", file=sys.stderr)
        sys.exit(126)
