# SPDX-License-Identifier: Apache-2.0
"""Sends by AF_XDP, in copy mode: past every queueing discipline, and past TC.

What a socket needs is built by hand (linux/if_xdp.h): memory of its own, and rings in
which one names the frames to send. The socket is kept as those of detours.py are.
"""
import ctypes
import mmap
import select
import socket
import struct

from detours import AF_XDP, kept, libc, sockets
from outcome import told

SOL_XDP = 283
MMAP_OFFSETS, TX_RING, UMEM_REG, FILL_RING, COMPLETION_RING = 1, 3, 4, 5, 6
COPY = 2
TX_AT = 0x80000000
CHUNK, ENTRIES = 4096, 16
MAP_FAILED = ctypes.c_void_p(-1).value

libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long]
rooms = {}  # handle -> Room


class Room:
    """The memory of a socket and the ring of what it sends."""

    def __init__(self, sock):
        self.memory = mmap.mmap(-1, CHUNK * ENTRIES)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        sock.setsockopt(SOL_XDP, UMEM_REG, struct.pack("=QQII", start, CHUNK * ENTRIES, CHUNK, 0))
        for ring in (FILL_RING, COMPLETION_RING, TX_RING):
            sock.setsockopt(SOL_XDP, ring, struct.pack("=I", ENTRIES))
        offsets = struct.unpack("=16Q", sock.getsockopt(SOL_XDP, MMAP_OFFSETS, 128))
        self.producer, _, self.descriptors, _ = offsets[4:8]
        # Not by Python's mmap, which would hold a second descriptor of the socket.
        self.ring = libc.mmap(None, self.descriptors + 16 * ENTRIES, mmap.PROT_READ | mmap.PROT_WRITE,
                              mmap.MAP_SHARED | mmap.MAP_POPULATE, sock.fileno(), TX_AT)
        if self.ring == MAP_FAILED:
            raise OSError(ctypes.get_errno(), "mapping the ring")
        self.sent = 0

    def put(self, frame):
        """The next descriptor; a test sends fewer than there are."""
        at = self.sent % ENTRIES
        self.memory[at * CHUNK:at * CHUNK + len(frame)] = frame
        descriptor = struct.pack("=QII", at * CHUNK, len(frame), 0)
        ctypes.memmove(self.ring + self.descriptors + 16 * at, descriptor, len(descriptor))
        self.sent += 1
        ctypes.c_uint32.from_address(self.ring + self.producer).value = self.sent


def open_xdp(interface, queue=0):
    """Bound to a queue of that NIC; needs no program there to send."""
    try:
        sock = socket.socket(AF_XDP, socket.SOCK_RAW, 0)
        room = Room(sock)
        address = struct.pack("=HHIII", AF_XDP, COPY, socket.if_nametoindex(interface), queue, 0)
        if libc.bind(sock.fileno(), address, len(address)) != 0:
            raise OSError(ctypes.get_errno(), "binding an AF_XDP socket")
    except OSError as error:
        return told(error)
    made = kept(sock)
    rooms[made["handle"]] = room
    return made


def send_xdp(handle, frame, by="sendmsg"):
    """A whole frame (hex). Either call has the kernel send what the ring names."""
    sock = sockets[handle]
    rooms[handle].put(bytes.fromhex(frame))
    try:
        if by == "poll":
            select.select([], [sock], [], 0)
        else:
            sock.send(b"", socket.MSG_DONTWAIT)
        return {"result": "sent"}
    except OSError as error:
        return told(error)
