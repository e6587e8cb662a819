# SPDX-License-Identifier: Apache-2.0
"""Whole frames: sent through packet sockets and tun devices, and seen as they arrive."""
import errno
import fcntl
import itertools
import os
import select
import socket
import struct
import threading
import time

from outcome import told
from slow import patient

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_QDISC_BYPASS = 20
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000

captures = {}
tuns = {}
handles = itertools.count(1)


def send_frames(interface, frames, bypass=False, until_room=False):
    """Frames (hex) out of the interface, past every socket hook. `until_room`: one that is
    refused for want of room is sent again, for who is not guarded has no other refusal."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
            if bypass:
                sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
            sock.bind((interface, 0))
            for frame in frames:
                send_frame(sock, bytes.fromhex(frame), time.monotonic() + patient(5.0 * until_room))
        return {"result": "sent"}
    except OSError as error:
        return told(error)


def send_frame(sock, frame, until):
    while True:
        try:
            return sock.send(frame)
        except OSError as error:
            if error.errno != errno.ENOBUFS or time.monotonic() >= until:
                raise
            time.sleep(0.001)


def flood(interface, frame, count, low, balance=(), high=None, first=0, timeout=60.0):
    """The frame (hex) `count` times, each with a number of its own: 16 bits at byte `low`
    and 16 more at `high`. Each of the words at `balance`, zero in the frame, takes up what
    the low word adds to a checksum, so that it stays right. `count`: so many left."""
    del timeout  # of the caller
    packet = bytearray.fromhex(frame)
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((interface, 0))
        for number in range(first, first + count):
            struct.pack_into("!H", packet, low, number & 0xFFFF)
            for at in balance:
                struct.pack_into("!H", packet, at, 0xFFFF - (number & 0xFFFF))
            if high is not None:
                struct.pack_into("!H", packet, high, number >> 16)
            try:
                sock.send(packet)
                sent += 1
            except OSError:
                pass  # the queue is full: this one is lost, as in any flood
    return {"result": "sent", "count": sent}


def hear(state):
    sock = state["sock"]
    while not state["stop"].is_set():
        try:
            frame, where = sock.recvfrom(65536)
        except socket.timeout:
            continue
        except OSError:
            return
        if where[2] != 4:  # PACKET_OUTGOING: our own
            state["frames"].append(frame.hex())


def capture(interface):
    """Keeps every frame that arrives there until `captured`."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind((interface, ETH_P_ALL))
    sock.settimeout(0.1)
    state = {"sock": sock, "frames": [], "stop": threading.Event()}
    threading.Thread(target=hear, args=(state,), daemon=True).start()
    handle = next(handles)
    captures[handle] = state
    return {"handle": handle}


def captured(handle, end=True):
    """The frames so far, as hex."""
    state = captures[handle]
    if end:
        captures.pop(handle)
        state["stop"].set()
        state["sock"].close()
    return {"frames": list(state["frames"])}


def tun(name):
    """A device that carries bare IP packets; this process is the machine behind it."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    state = {"fd": fd, "packets": [], "stop": threading.Event()}
    tuns[name] = state
    return {}


def tun_send(name, packets):
    try:
        for packet in packets:
            os.write(tuns[name]["fd"], bytes.fromhex(packet))
        return {"result": "sent"}
    except OSError as error:
        return told(error)


def tun_read(name, timeout=1.0):
    """What the host has sent into the device until nothing came for `timeout` seconds."""
    got = []
    while select.select([tuns[name]["fd"]], [], [], patient(timeout))[0]:
        got.append(os.read(tuns[name]["fd"], 65536).hex())
    return {"packets": got}
