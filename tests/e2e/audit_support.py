# SPDX-License-Identifier: Apache-2.0
"""Listeners of every kind for the audit, and what ss says of the same namespace."""
import collections
import json
import os
import re
import shutil
import subprocess
import sys

from harness import ROOT

SERVICES = os.path.join(ROOT, "tools", "services")

# Opens what its argument says, then waits for its input's end.
SERVER = r"""
import ctypes, json, socket, sys
kept = []
for proto, address, port, extra in json.loads(sys.argv[-1]):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_RAW if proto == "raw" else socket.SOCK_DGRAM
    sock = socket.socket(family, kind, {"udplite": 136, "raw": 1}.get(proto, 0))
    if extra.get("reuse"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if extra.get("device"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, extra["device"].encode())
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if extra.get("dual") else 1)
    sock.bind((address, port))
    if extra.get("connect"):
        sock.connect((extra["connect"], 9))
    if proto == "tcp" and not extra.get("idle"):
        sock.listen(8)
    kept.append(sock)
if sys.argv[-2:-1] and sys.argv[-2].startswith("comm="):
    ctypes.CDLL(None).prctl(15, sys.argv[-2][5:].encode("latin-1"), 0, 0, 0)
print("ready", flush=True)
sys.stdin.read()
"""


def serve(lab, host, sockets, exe="python3", before=(), comm=None, cgroup=None):
    """A process of that executable's name that holds the sockets:
    (protocol, address, port, {reuse, device, dual, connect, idle})."""
    path = os.path.join(lab.directory, exe)
    if not os.path.exists(path):
        shutil.copy(os.path.realpath(sys.executable), path)
    script = os.path.join(lab.directory, "serve.py")
    with open(script, "w", encoding="utf-8") as file:
        file.write(SERVER)
    command = [path, *(before or [script])]
    if comm is not None:
        command.append("comm=" + comm)
    command.append(json.dumps([[p, a, n, (e[0] if e else {})] for p, a, n, *e in sockets]))
    process = lab.start(host.command(command, cgroup), stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if line != "ready\n":
        raise RuntimeError(f"{exe} did not begin: {line!r}")
    return process


def end(process):
    process.stdin.close()
    process.wait(20)
    process.stdout.close()


def seen_by_ss(host, *flags):
    """Counter of (proto, address, port, device), and the pids of each."""
    count, pids = collections.Counter(), collections.defaultdict(set)
    for line in host.run("ss", "-H", "-lnp", *flags).splitlines():
        words = line.split(None, 6)
        proto, local = words[0], words[4]
        address, _, port = local.rpartition(":")
        address, _, device = address.partition("%")
        address = address.strip("[]")
        if address.startswith("::ffff:"):
            address = address[7:]
        key = ("raw" if proto in ("???", "icmp", "raw", "p_raw") or "raw" in flags else proto,
               "dual" if address == "*" else address, port, device)
        count[key] += 1
        pids[key] |= {int(n) for n in re.findall(r"pid=(\d+)", line)}
    return count, pids


def seen_by_audit(report, netns=None):
    count, pids = collections.Counter(), collections.defaultdict(set)
    for one in report["listeners"]:
        if (one["netns"] != netns) if netns else (one["namespace"] != "host"):
            continue
        key = (one["proto"], "dual" if one["family"] == "dual" else one["address"],
               str(one["port"]), one["interface"] or "")
        count[key] += one["sockets"]
        pids[key] |= set(one["pids"])
    return count, pids
