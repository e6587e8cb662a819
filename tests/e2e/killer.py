# SPDX-License-Identifier: Apache-2.0
"""Ends a process between two system calls of its choosing, by strace.

A run is recorded once: which calls changed something in the kernel or on disk.
`points` are the moments right after each of them, named by the call that comes
next: ("bpf", 17) is "as it makes its 17th bpf call". Only the main thread is
followed. What it stores into mapped memory happens between two calls, too.
"""
import os
import re
import signal
import subprocess
import time

import slow

CALLS = ("bpf", "mmap", "munmap", "unlink", "unlinkat", "rmdir", "rename", "mkdir", "sendto")
# The commands of bpf(2) that change nothing which outlives the process.
READS = ("BPF_MAP_LOOKUP_ELEM", "BPF_MAP_GET_NEXT_KEY", "BPF_OBJ_GET", "BPF_OBJ_GET_INFO_BY_FD",
         "BPF_BTF_LOAD", "BPF_MAP_GET_FD_BY_ID", "BPF_PROG_GET_FD_BY_ID", "BPF_PROG_TEST_RUN",
         "BPF_MAP_CREATE", "BPF_PROG_LOAD", "BPF_BTF_GET_FD_BY_ID", "BPF_MAP_FREEZE",
         "BPF_LINK_GET_FD_BY_ID", "BPF_PROG_BIND_MAP")
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")


def strace(output, point=None):
    """The command that is put before the one to be watched, or -p PID."""
    words = ["strace", "-qq", "-o", output, "-e", "trace=" + ",".join(CALLS)]
    if point is not None:
        words += ["-e", f"inject={point[0]}:signal=KILL:when={point[1]}"]
    return words


def changes(call, rest):
    if call == "bpf":
        return not rest.startswith(READS)
    if call == "mmap":
        return "MAP_SHARED" in rest  # the control word: what is stored there comes next
    return call != "munmap"


def points(output):
    """Right after each change that was recorded; every (call, number) once."""
    counts, found, changed = {}, [], False
    with open(output, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = LINE.match(line)
            if not match or match[1] not in CALLS:
                continue
            counts[match[1]] = counts.get(match[1], 0) + 1
            if changed:
                found.append((match[1], counts[match[1]]))
            changed = changes(match[1], match[2])
    return found


def some(every, share, dice):
    """The first, the last, and every k-th between, so that about `share` are left."""
    step = max(1, len(every) // share)
    return every[:1] + every[1:-1][dice.randrange(step)::step] + every[-1:]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def finish(process, patience, is_done=lambda: False):
    """Waits until strace and what it watches are gone, or it is done: then ends both.
    True when it was killed at the point."""
    until = time.monotonic() + patience * slow.FACTOR
    while process.poll() is None and time.monotonic() < until and not is_done():
        time.sleep(0.01)
    killed = process.poll() is not None and process.returncode == -signal.SIGKILL
    if process.poll() is None:
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5.0)
    return killed


def attach(lab, pid, output, point=None):
    """strace on a process that runs; returns when it is watched."""
    return watch(lab, pid, strace(output, point))


def failing_mmap(output, number=None):
    """strace's command that sees what is mapped and renamed; with a number, that mmap fails."""
    words = ["strace", "-qq", "-o", output, "-e", "trace=mmap,rename"]
    return words + ([] if number is None else ["-e", f"inject=mmap:error=ENOMEM:when={number}"])


def mmaps_before(output, renamed):
    """How many were there when that file was renamed."""
    with open(output, encoding="utf-8", errors="replace") as lines:
        return "".join(lines).partition(renamed)[0].count("mmap(")


def watch(lab, pid, command):
    """Such a command on a process that runs; returns when it is watched."""
    process = lab.start(command + ["-p", str(pid)], stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
    until = time.monotonic() + 10.0
    while time.monotonic() < until and process.poll() is None:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            if f"TracerPid:\t{process.pid}\n" in status.read():
                return process
        time.sleep(0.01)
    raise RuntimeError("strace could not attach")
