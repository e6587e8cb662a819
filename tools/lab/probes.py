# SPDX-License-Identifier: Apache-2.0
"""Attempts to reach something, each told as one word (outcome.py), never as an exception.

"open" means that the other side's answer came back, not only that a connect
went through.
"""
import ctypes
import itertools
import os
import socket
import struct
import tempfile
import threading

from outcome import asked, family_of, told
from packets import checksum
from slow import patient

sockets = {}  # connections that outlive a call, by handle
loops = {}
handles = itertools.count(1)
MSG_FASTOPEN = 0x20000000
SCTP = 132
IPPROTO_MPTCP = 262


def mapped(address):
    return address if ":" in address else "::ffff:" + address


def make(kind, destination, source, source_port, timeout, as_mapped, proto=0, interface=""):
    if as_mapped:
        destination = mapped(destination)
    sock = socket.socket(family_of(destination), kind, proto)
    sock.settimeout(patient(timeout))
    if interface:  # link-local addresses are of it
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    if source or source_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        anywhere = "::" if sock.family == socket.AF_INET6 else "0.0.0.0"
        if as_mapped and source:
            source = mapped(source)
        sock.bind((source or anywhere, source_port))
    return sock, destination


def exchange_on(sock, size=16):
    """Sends something new and waits until just that comes back, a greeting before it or not."""
    message = os.urandom(size)
    sock.sendall(message)
    got = b""
    while message not in got:
        data = sock.recv(65536)
        if not data:
            return {"result": "closed"}
        got += data
    return {"result": "open", "greeting": got[:-size][:64].decode("ascii", "replace").strip()}


def tcp(dst, port, src="", src_port=0, timeout=1.0, as_mapped=False, fast_open=False,
        multipath=False):
    try:
        sock, dst = make(socket.SOCK_STREAM, dst, src, src_port, timeout, as_mapped,
                         IPPROTO_MPTCP if multipath else 0)
        with sock:
            if fast_open:
                # A Python timeout makes the socket non-blocking, which a first
                # fast open answers with EINPROGRESS: let the kernel keep the time.
                sock.setblocking(True)
                limit = struct.pack("ll", int(patient(timeout)), int(patient(timeout) % 1 * 1e6))
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
                sock.sendto(b"fast open", MSG_FASTOPEN, (dst, port))
            else:
                sock.connect((dst, port))
            return exchange_on(sock)
    except OSError as error:
        return told(error)


def sctp(dst, port, src="", src_port=0, timeout=1.0):
    try:
        sock, dst = make(socket.SOCK_STREAM, dst, src, src_port, timeout, False, SCTP)
        with sock:
            sock.connect((dst, port))
            return exchange_on(sock)
    except OSError as error:
        return told(error)


def udp(dst, port, src="", src_port=0, timeout=1.0, as_mapped=False, connected=False, size=16,
        wait=True, interface=""):
    try:
        sock, dst = make(socket.SOCK_DGRAM, dst, src, src_port, timeout, as_mapped,
                         interface=interface)
        with sock:
            if connected:
                sock.connect((dst, port))
                sock.send(os.urandom(size))
            else:
                sock.sendto(os.urandom(size), (dst, port))
            if not wait:
                return {"result": "sent"}
            sock.recv(65536)
            return {"result": "open"}
    except OSError as error:
        return told(error)


def scatter(dst, ports, timeout=30.0):
    """A datagram to each port from the first to the one before the last; how they fared."""
    del timeout  # of the caller
    counts = {}
    with socket.socket(family_of(dst), socket.SOCK_DGRAM) as sock:
        for port in range(*ports):
            try:
                sock.sendto(b"scattered", (dst, port))
                word = "sent"
            except OSError as error:
                word = told(error)["result"]
            counts[word] = counts.get(word, 0) + 1
    return counts


def turn(port, dst, dst_port, timeout=5.0):
    """Accepts a connection at `port`, disconnects that socket and uses it to call out."""
    listener = socket.create_server(("::" if ":" in dst else "0.0.0.0", port),
                                    family=family_of(dst))
    listener.settimeout(patient(timeout))
    try:
        with listener:
            sock = listener.accept()[0]
        with sock:
            nowhere = struct.pack("H14x", socket.AF_UNSPEC)
            if ctypes.CDLL(None, use_errno=True).connect(sock.fileno(), nowhere, len(nowhere)):
                return told(OSError(ctypes.get_errno(), "disconnecting"))
            sock.settimeout(patient(2.0))
            sock.connect((dst, dst_port))
            return exchange_on(sock)
    except OSError as error:
        return told(error)


def hold(dst, port, proto="tcp", src="", src_port=0, timeout=2.0, as_mapped=False):
    """Opens a connection and keeps it; `handle` names it."""
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    try:
        sock, dst = make(kind, dst, src, src_port, timeout, as_mapped)
        sock.connect((dst, port))
        answer = exchange_on(sock)
    except OSError as error:
        return told(error)
    handle = next(handles)
    sockets[handle] = sock
    return {**answer, "handle": handle, "local_port": sock.getsockname()[1]}


def exchange(handle, timeout=2.0, size=16):
    """One more round on a kept connection."""
    sock = sockets[handle]
    sock.settimeout(patient(timeout))
    try:
        return exchange_on(sock, size)
    except OSError as error:
        return told(error)


def release(handle):
    sockets.pop(handle).close()
    return {}


def make_udp(family=4):
    """A socket made now and used later, as one that is older than the wall."""
    handle = next(handles)
    sockets[handle] = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6,
                                    socket.SOCK_DGRAM)
    return {"handle": handle}


def send_on(handle, dst, port, timeout=1.0):
    return asked(sockets[handle], dst, port, patient(timeout))


def ping(dst, src="", timeout=1.0, size=32):
    """An echo request over a raw socket, and the reply to just that one."""
    is_v6 = ":" in dst
    family = socket.AF_INET6 if is_v6 else socket.AF_INET
    proto = socket.IPPROTO_ICMPV6 if is_v6 else socket.IPPROTO_ICMP
    ident = int.from_bytes(os.urandom(2), "big")
    body = os.urandom(size)
    head = struct.pack("!BBHHH", 128 if is_v6 else 8, 0, 0, ident, 1)
    if not is_v6:  # for ICMPv6 the kernel fills it in
        head = struct.pack("!BBHHH", 8, 0, checksum(head + body), ident, 1)
    try:
        with socket.socket(family, socket.SOCK_RAW, proto) as sock:
            sock.settimeout(patient(timeout))
            if src:
                sock.bind((src, 0))
            sock.sendto(head + body, (dst, 0))
            while True:
                got = sock.recv(65536)
                got = got if is_v6 else got[(got[0] & 15) * 4:]
                if got[0] in (0, 129) and got[4:6] == head[4:6] and got[8:] == body:
                    return {"result": "open"}
    except OSError as error:
        return told(error)


def raw(dst, proto, data, header_included=False):
    """`data` (hex) over a raw socket of that protocol."""
    family = family_of(dst)
    try:
        with socket.socket(family, socket.SOCK_RAW, proto) as sock:
            if header_included:
                level, option = ((socket.IPPROTO_IP, socket.IP_HDRINCL)
                                 if family == socket.AF_INET else (socket.IPPROTO_IPV6, 36))
                sock.setsockopt(level, option, 1)
            sock.sendto(bytes.fromhex(data), (dst, 0))
        return {"result": "sent"}
    except OSError as error:
        return told(error)


def bulk(dst, port, size, timeout=20.0):
    """Sends `size` bytes by sendfile(2) to a sink, which says how many came."""
    try:
        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            with socket.create_connection((dst, port), patient(timeout)) as sock:
                sock.sendfile(file)
                sock.shutdown(socket.SHUT_WR)
                got = sock.recv(64)
        return {"result": "open", "received": int(got or b"0")}
    except OSError as error:
        return told(error)


def run_loop(state, target):
    while not state["stop"].is_set():
        probe = tcp if target.get("proto", "tcp") == "tcp" else udp
        got = probe(target["dst"], target["port"], timeout=target.get("timeout", 1.0))["result"]
        with state["lock"]:
            counts = state["counts"].setdefault(target["name"], {})
            counts[got] = counts.get(got, 0) + 1
        state["stop"].wait(target.get("pause", 0.0))


def loop(targets):
    """Probes each of the targets again and again until `loop_end`."""
    state = {"stop": threading.Event(), "lock": threading.Lock(), "counts": {}}
    state["threads"] = [threading.Thread(target=run_loop, args=(state, t), daemon=True)
                        for t in targets]
    for thread in state["threads"]:
        thread.start()
    handle = next(handles)
    loops[handle] = state
    return {"handle": handle}


def loop_counts(handle):
    """So far: {name: {outcome: times}}."""
    with loops[handle]["lock"]:
        return {name: dict(counts) for name, counts in loops[handle]["counts"].items()}


def loop_end(handle, timeout=10.0):
    state = loops.pop(handle)
    state["stop"].set()
    for thread in state["threads"]:
        thread.join(patient(timeout))
    return state["counts"]
