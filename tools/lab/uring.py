# SPDX-License-Identifier: Apache-2.0
"""io_uring by its system calls: sockets used by the kernel on a process's behalf."""
import ctypes
import errno
import mmap
import os
import socket
import struct

from detours import heard_back, libc, message_to, sockaddr
from outcome import family_of, told

SYS_SETUP, SYS_ENTER = 425, 426
GETEVENTS = 1
OP_SENDMSG, OP_CONNECT, OP_SOCKET = 9, 16, 45
FORCE_ASYNC = 16  # by a worker of the kernel's, not by the caller
SQ_RING, SQES = 0, 0x10000000


class Ring:
    """One entry deep: submit, wait, look at the result."""

    def __init__(self):
        parameters = ctypes.create_string_buffer(120)
        self.fd = libc.syscall(SYS_SETUP, 1, parameters)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "io_uring_setup")
        words = struct.unpack("=30I", parameters.raw)
        self.sq_tail, self.sq_array = words[11], words[16]
        self.cq_head, self.cqes = words[20], words[25]
        self.cq_mask = words[22]
        size = max(self.sq_array + 4, self.cqes + 16 * words[1])
        self.ring = mmap.mmap(self.fd, size, offset=SQ_RING)
        self.sqes = mmap.mmap(self.fd, 64 * words[0], offset=SQES)

    def run(self, opcode, fd, address, length, offset, asynchronous):
        flags = FORCE_ASYNC if asynchronous else 0
        self.sqes[0:64] = struct.pack("=BBHiQQII32x", opcode, flags, 0, fd, offset, address,
                                      length, 0)[:64].ljust(64, b"\0")
        self.ring[self.sq_array:self.sq_array + 4] = struct.pack("=I", 0)
        tail, = struct.unpack_from("=I", self.ring, self.sq_tail)
        struct.pack_into("=I", self.ring, self.sq_tail, tail + 1)
        if libc.syscall(SYS_ENTER, self.fd, 1, 1, GETEVENTS, None, 0) < 0:
            raise OSError(ctypes.get_errno(), "io_uring_enter")
        head, = struct.unpack_from("=I", self.ring, self.cq_head)
        mask, = struct.unpack_from("=I", self.ring, self.cq_mask)
        _, result, _ = struct.unpack_from("=QiI", self.ring, self.cqes + 16 * (head & mask))
        struct.pack_into("=I", self.ring, self.cq_head, head + 1)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result

    def close(self):
        self.sqes.close()
        self.ring.close()
        os.close(self.fd)


def with_ring(use):
    try:
        ring = Ring()
    except OSError as error:
        return {"result": "no-uring" if error.errno in (errno.ENOSYS, errno.EPERM)
                else str(error)}
    try:
        return use(ring)
    except OSError as error:
        return told(error)
    finally:
        ring.close()


def uring_socket(family, kind, proto=0, asynchronous=False):
    """A socket that the ring makes (5.19), closed at once."""
    def use(ring):
        os.close(ring.run(OP_SOCKET, family, 0, proto, kind, asynchronous))
        return {"result": "open"}
    return with_ring(use)


def uring_connect(dst, port, asynchronous=False, timeout=1.0):
    """TCP whose connect the ring does."""
    def use(ring):
        with socket.socket(family_of(dst), socket.SOCK_STREAM) as sock:
            # The kernel keeps the time: the ring's connect blocks.
            limit = struct.pack("ll", int(timeout), int(timeout % 1 * 1e6))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            name = ctypes.create_string_buffer(sockaddr(dst, port))
            ring.run(OP_CONNECT, sock.fileno(), ctypes.addressof(name), 0, len(name) - 1,
                     asynchronous)
            sock.settimeout(timeout)
            return heard_back(sock)
    return with_ring(use)


def uring_sendmsg(dst, port, asynchronous=False, timeout=1.0):
    """A datagram that the ring sends, and the answer."""
    def use(ring):
        with socket.socket(family_of(dst), socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            header, alive = message_to((dst, port), b"by the ring")
            ring.run(OP_SENDMSG, sock.fileno(), ctypes.addressof(header), 1, 0, asynchronous)
            del alive
            sock.recv(65536)
            return {"result": "open"}
    return with_ring(use)
