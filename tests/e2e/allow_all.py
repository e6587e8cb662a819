# SPDX-License-Identifier: Apache-2.0
"""BPF programs that allow everything, attached to a cgroup as a child of the guarded one may
have them, by the system call itself."""
import contextlib
import ctypes
import os
import socket
import struct

SYS_BPF = 321 if os.uname().machine == "x86_64" else 280
PROG_LOAD, PROG_ATTACH, PROG_DETACH = 5, 8, 9
CGROUP_SKB, CGROUP_SOCK_ADDR = 8, 18
EGRESS, CONNECT4, CONNECT6, SENDMSG4, SENDMSG6 = 1, 10, 11, 14, 15
FLAGS = {"none": 0, "override": 1, "multi": 2}

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    result = libc.syscall(SYS_BPF, command, buffer, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return result


def store(offset, word):
    """w0 = word, in host byte order; *(u32 *)(r1 + offset) = w0, for 6.1 takes no immediate there."""
    return struct.pack("=BBhI", 0xb4, 0, 0, word) + struct.pack("=BBhI", 0x63, 0x01, offset, 0)


def load(kind, attach_type, stores=b""):
    code = stores + struct.pack("=BBhi", 0xb7, 0, 0, 1) + struct.pack("=BBhi", 0x95, 0, 0, 0)
    program, licence = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"GPL")
    return bpf(PROG_LOAD, struct.pack(
        "=IIQQIIQI4x16sII", kind, len(code) // 8, ctypes.addressof(program),
        ctypes.addressof(licence), 0, 0, 0, 0, b"allow_all", 0, attach_type))


class AllowAll(contextlib.ExitStack):
    """`rewrite_to`: connect and sendmsg also turn every destination into this one."""

    def __init__(self, directory, way, rewrite_to=None):
        super().__init__()
        cgroup = os.open(directory, os.O_RDONLY)
        self.callback(os.close, cgroup)
        v4, v6 = b"", b""
        if rewrite_to is not None and ":" in rewrite_to:
            words = struct.unpack("=4I", socket.inet_pton(socket.AF_INET6, rewrite_to))
            v6 = b"".join(store(8 + 4 * i, word) for i, word in enumerate(words))
        elif rewrite_to is not None:
            v4 = store(4, *struct.unpack("=I", socket.inet_aton(rewrite_to)))
        for kind, place, stores in ((CGROUP_SKB, EGRESS, b""), (CGROUP_SOCK_ADDR, CONNECT4, v4),
                                    (CGROUP_SOCK_ADDR, CONNECT6, v6),
                                    (CGROUP_SOCK_ADDR, SENDMSG4, v4),
                                    (CGROUP_SOCK_ADDR, SENDMSG6, v6)):
            program = load(kind, place, stores)
            self.callback(os.close, program)
            bpf(PROG_ATTACH, struct.pack("=IIII", cgroup, program, place, FLAGS[way]))
            self.callback(bpf, PROG_DETACH, struct.pack("=IIII", cgroup, program, place, 0))
