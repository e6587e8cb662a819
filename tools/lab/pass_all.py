# SPDX-License-Identifier: Apache-2.0
"""An XDP program that lets everything in, made without a compiler.

A veth hands on what XDP sends back (XDP_TX) only when its other end has a program.
"""
import ctypes
import os
import socket
import struct

SYS_BPF = {"x86_64": 321, "aarch64": 280}
BPF_PROG_LOAD, BPF_LINK_CREATE = 5, 28
BPF_PROG_TYPE_XDP, BPF_XDP = 6, 37
XDP_FLAGS_DRV_MODE = 1 << 2
RETURN_XDP_PASS = struct.pack("=BBhi", 0xB7, 0, 0, 2) + struct.pack("=BBhi", 0x95, 0, 0, 0)

links = []  # held as long as this process lives


def bpf(command, attributes):
    attributes = ctypes.create_string_buffer(attributes, len(attributes))
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(SYS_BPF[os.uname().machine], command, attributes, len(attributes))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def pass_all(interface):
    """The program on the interface, until this process ends."""
    code = ctypes.create_string_buffer(RETURN_XDP_PASS, len(RETURN_XDP_PASS))
    terms = ctypes.create_string_buffer(b"Apache-2.0")
    program = bpf(BPF_PROG_LOAD, struct.pack(
        "=IIQQ", BPF_PROG_TYPE_XDP, len(RETURN_XDP_PASS) // 8, ctypes.addressof(code),
        ctypes.addressof(terms)) + bytes(24))
    try:
        links.append(bpf(BPF_LINK_CREATE, struct.pack(
            "=IIII", program, socket.if_nametoindex(interface), BPF_XDP, XDP_FLAGS_DRV_MODE)))
    finally:
        os.close(program)
    return {}
