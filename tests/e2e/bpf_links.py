# SPDX-License-Identifier: Apache-2.0
"""What an administrator with the system call can do with links of BPF programs, for which
bpftool has no word.

    bpf_links.py tcx-egress INTERFACE PROGRAM-PIN LINK-PIN before|behind

does it in the network namespace that it is started in."""
import ctypes
import os
import socket
import struct
import sys

SYS_BPF = {"x86_64": 321, "aarch64": 280}
OBJ_PIN, OBJ_GET, LINK_CREATE, LINK_UPDATE = 6, 7, 28, 29
TCX_EGRESS = 47
ORDER = {"before": 1 << 3, "behind": 1 << 4}  # of all: no other is named


def bpf(command, attributes):
    libc = ctypes.CDLL(None, use_errno=True)
    attributes = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    got = libc.syscall(SYS_BPF[os.uname().machine], command, attributes, 128)
    if got < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return got


def opened(pin):
    path = ctypes.create_string_buffer(pin.encode())
    return bpf(OBJ_GET, struct.pack("=QII", ctypes.addressof(path), 0, 0))


def update_link(link_pin, program_pin):
    """The link runs that program from now on."""
    link, program = opened(link_pin), opened(program_pin)
    try:
        bpf(LINK_UPDATE, struct.pack("=IIII", link, program, 0, 0))
    finally:
        os.close(link)
        os.close(program)


def attach_tcx_egress(interface, program_pin, link_pin, order):
    """Before or behind all that is there, until the pin is removed."""
    link = bpf(LINK_CREATE, struct.pack("=IIII", opened(program_pin),
                                        socket.if_nametoindex(interface), TCX_EGRESS,
                                        ORDER[order]))
    path = ctypes.create_string_buffer(link_pin.encode())
    bpf(OBJ_PIN, struct.pack("=QII", ctypes.addressof(path), link, 0))


if __name__ == "__main__":
    assert sys.argv[1] == "tcx-egress"
    attach_tcx_egress(*sys.argv[2:])
