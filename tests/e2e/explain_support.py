# SPDX-License-Identifier: Apache-2.0
"""What the tests of `explain` share: asking, and looking at every map of the wall."""
import ctypes
import json
import mmap
import os
import platform
import re
import struct
import subprocess
import sys

from harness import E2e, HOST, PEER
from cgroups import hierarchy

RINGS = {"sp_answers", "sp_captures", "sp_events", "sp_leaving", "sp_proofs"}
NO_DUMP = {"sp_owners", "sp_counted"}  # storage of sockets, which bpftool does not dump
BPF, BPF_OBJ_GET = {"x86_64": 321}.get(platform.machine(), 280), 7


def question(way, proto, src, dst, port, *more, src_port=40000):
    def end(address, number):
        return f"[{address}]:{number}" if ":" in address else f"{address}:{number}"
    return " ".join([way, proto, end(src, src_port), ">", end(dst, port), *more])


class Explains(E2e):
    def ask(self, *arguments):
        """The answer; of an exit code that is no answer a failure."""
        done = self.guard.call("explain", "--json", *arguments, timeout=60.0)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        answer = json.loads(done.stdout)
        if isinstance(answer, dict):
            self.assertEqual(done.returncode == 1, answer["verdict"] == "drop", answer)
        return answer

    def verdict(self, *arguments):
        answer = self.ask(*arguments)
        return answer["verdict"], answer["reason"]

    def asked_in(self, family, port, *more, proto="tcp", src=None, arguments=()):
        return self.verdict(question("in", proto, src or PEER[family], HOST[family], port, *more),
                            *arguments)

    def asked_out(self, family, port, *arguments, proto="tcp"):
        return self.verdict(question("out", proto, HOST[family], PEER[family], port), *arguments)

    def maps(self):
        """What every map of the wall holds, by name; of a map of maps its inner ones too."""
        directory = os.path.join(self.guard.pins, "v1", "maps")
        held = {}
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            if name in RINGS:
                held[name] = produced(path)
            elif name not in NO_DUMP:
                held[name] = self.dump("pinned", path)
        return held

    def dump(self, *which):
        done = subprocess.run(["bpftool", "-j", "map", "dump", *which], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{which}: {done.stdout} {done.stderr}")
        inner = sorted({int(n) for n in re.findall(r'"inner_map_id": ?(\d+)', done.stdout)})
        return [done.stdout] + [self.dump("id", str(number)) for number in inner]


def standing_cgroups():
    """Their numbers, as the kernel's programs know them."""
    return {os.stat(directory).st_ino for directory, _, _ in os.walk(hierarchy())}


def of_cgroups(dumped, numbers):
    """The entries of a dumped sp_cgroups that are about one of these: whoever makes or
    removes a cgroup anywhere on the machine has the kernel write there."""
    entries = json.loads(dumped[0])
    return [entry for entry in entries
            if int.from_bytes(bytes(int(b, 16) for b in entry["key"][:8]), sys.byteorder)
            in numbers]


def produced(path):
    """How far writers of a ring have come: the page that its readers map first but one."""
    libc = ctypes.CDLL(None, use_errno=True)
    name = ctypes.create_string_buffer(path.encode())
    attr = struct.pack("<QII", ctypes.addressof(name), 0, 0)
    fd = libc.syscall(BPF, BPF_OBJ_GET, attr, len(attr))
    if fd < 0:
        raise OSError(ctypes.get_errno(), path)
    try:
        with mmap.mmap(fd, mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ,
                       offset=mmap.PAGESIZE) as page:
            return struct.unpack_from("<Q", page)[0]
    finally:
        os.close(fd)


def capture(frames, link=1):
    """A libpcap file of these packets."""
    file = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, link)
    for frame in frames:
        file += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    return file
