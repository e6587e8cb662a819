# SPDX-License-Identifier: Apache-2.0
"""A small name server, and who asks it; RFC 1035, A and AAAA over UDP."""
import os
import socket
import struct
import threading

from outcome import family_of, told
from slow import patient

TYPES = {4: 1, 6: 28}


def labels(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".") if part) + b"\0"


def question(name, family, number=0):
    return (struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels(name)
            + struct.pack(">HH", TYPES[family], 1))


def name_in(message, at=12):
    parts = []
    while message[at]:
        parts.append(message[at + 1:at + 1 + message[at]].decode("latin-1").lower())
        at += 1 + message[at]
    return ".".join(parts), at + 1


def record(owner, kind, lives, data):
    return labels(owner) + struct.pack(">HHIH", kind, 1, lives, len(data)) + data


def answer(asked, records, lives=60):
    """To the question, by `records`: name -> addresses, or another name that it is an alias of."""
    name, end = name_in(asked)
    kind = struct.unpack_from(">H", asked, end)[0]
    found, owner = [], name
    while isinstance(records.get(owner), str):
        found.append(record(owner, 5, lives, labels(records[owner])))
        owner = records[owner]
    for address in records.get(owner, []):
        family = family_of(address)
        if kind == TYPES[6 if family == socket.AF_INET6 else 4]:
            found.append(record(owner, kind, lives, socket.inet_pton(family, address)))
    code = 0 if owner in records else 3
    return (asked[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
            + asked[12:end + 4] + b"".join(found))


def serve_names(records, addresses=("0.0.0.0", "::"), port=53):
    """Answers by `records` from now on."""
    for address in addresses:
        sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        threading.Thread(target=answer_loop, args=(sock, records), daemon=True).start()
    return {}


def answer_loop(sock, records):
    while True:
        try:
            asked, sender = sock.recvfrom(4096)
            sock.sendto(answer(asked, records), sender)
        except (OSError, IndexError, struct.error):
            continue


def look_up(name, dst, family=4, port=53, connected=True, timeout=2.0):
    """Asks `dst` for the addresses that `name` has; "open" when an answer came."""
    number = struct.unpack(">H", os.urandom(2))[0]
    try:
        with socket.socket(family_of(dst), socket.SOCK_DGRAM) as sock:
            sock.settimeout(patient(timeout))
            if connected:
                sock.connect((dst, port))
                sock.send(question(name, family, number))
            else:
                sock.sendto(question(name, family, number), (dst, port))
            message = sock.recv(4096)
            return {"result": "open", "records": struct.unpack_from(">H", message, 6)[0]}
    except OSError as error:
        return told(error)
