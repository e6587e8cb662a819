# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for services: they greet, echo what they get, at once or late, or swallow and count it."""
import socket
import threading
import time

from outcome import family_of

SCTP = 132
SO_RCVBUFFORCE = 33
listeners = {}


def serve_tcp(connection, banner):
    with connection:
        connection.settimeout(300.0)
        try:
            if banner:
                connection.sendall(banner.encode() + b"\n")
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass


def swallow_tcp(connection):
    with connection:
        connection.settimeout(300.0)
        count = 0
        try:
            while data := connection.recv(1 << 20):
                count += len(data)
            connection.sendall(str(count).encode())
        except OSError:
            pass


def serve_late(connection, pause=1.5):
    """The first echo at once, every other after a while in which neither end says a word."""
    with connection:
        connection.settimeout(300.0)
        try:
            connection.sendall(connection.recv(65536))
            while data := connection.recv(65536):
                time.sleep(pause)
                connection.sendall(data)
        except OSError:
            pass


def accept_loop(listener, mode, banner):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        serve, more = {"sink": (swallow_tcp, ()), "late": (serve_late, ())}.get(
            mode, (serve_tcp, (banner,)))
        threading.Thread(target=serve, args=(connection, *more), daemon=True).start()


def answer_loop(sock):
    while True:
        try:
            data, sender = sock.recvfrom(65536)
        except OSError:
            return
        try:
            sock.sendto(data, sender)
        except OSError:
            continue  # refused by policy: the probe's timeout shows it


def swallow_loop(sock):
    # As root: room for a flood, so that the reader is not what slows it down.
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    while True:
        try:
            sock.recv(65536)
        except OSError:
            return


def listen(port, proto="tcp", addresses=("0.0.0.0", "::"), mode="echo", banner="", defer=0,
           dual=False, buffer=0):
    """Listens on the port in each family; returns what it is bound to.

    `defer`: seconds in which a connection is not made before its first bytes come. `dual`: IPv6
    sockets speak IPv4 as well. `buffer`: SO_RCVBUF.
    """
    bound = []
    for address in addresses:
        kind = socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM
        sock = socket.socket(family_of(address), kind, SCTP if proto == "sctp" else 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        if proto == "tcp":
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
            if defer:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, defer)
        sock.bind((address, port))
        if proto != "udp":
            sock.listen(256)
            target, arguments = accept_loop, (sock, mode, banner)
        else:
            target, arguments = swallow_loop if mode == "sink" else answer_loop, (sock,)
        listeners[(proto, address, port)] = sock
        threading.Thread(target=target, args=arguments, daemon=True).start()
        bound.append(list(sock.getsockname()[:2]))
    return {"bound": bound}


def unlisten(port, proto="tcp"):
    for key in [k for k in listeners if k[0] == proto and k[2] == port]:
        sock = listeners.pop(key)
        if proto != "udp":
            sock.shutdown(socket.SHUT_RDWR)  # wakes the accept
        sock.close()
    return {}
