# SPDX-License-Identifier: Apache-2.0
"""Numbered datagrams, sent without an end and counted one by one where they arrive."""
import itertools
import socket
import struct
import threading
import time

from outcome import family_of, word_for

NUMBERED = struct.Struct("!IQ")  # stream, number
BUFFER = 8 << 20

streams = {}
sinks = {}
handles = itertools.count(1)


def deep(sock):
    """What the receiver is too slow for must not look like a loss on the way."""
    sock.setsockopt(socket.SOL_SOCKET, 33, BUFFER)  # SO_RCVBUFFORCE
    return sock


def take_in(sock, counts):
    while True:
        try:
            data, sender = sock.recvfrom(2048)
        except OSError:
            return
        stream, number = NUMBERED.unpack_from(data)
        counts.setdefault(stream, set()).add(number)
        try:
            sock.sendto(data, sender)
        except OSError:
            continue  # the answer is refused: its sender counts


def sink(addresses, ports):
    """Takes in what comes to these ports, and sends it back from the address it came to."""
    state = {"socks": [], "counts": {}}
    for port in ports:
        for address in addresses:
            sock = deep(socket.socket(family_of(address), socket.SOCK_DGRAM))
            sock.bind((address, port))
            state["socks"].append(sock)
            threading.Thread(target=take_in, args=(sock, state["counts"]), daemon=True).start()
    handle = next(handles)
    sinks[handle] = state
    return {"handle": handle}


def sunk(handle):
    """{stream: how many different ones have come so far}"""
    return {str(stream): len(numbers) for stream, numbers in list(sinks[handle]["counts"].items())}


def count_answers(state, sock, stream):
    while True:
        try:
            data = sock.recv(2048)
        except OSError:
            if state["stop"].is_set():
                return
            continue  # an ICMP error about an earlier one
        state["answers"].setdefault(stream, set()).add(NUMBERED.unpack_from(data)[1])


def run_streams(state, targets, pause):
    for number in itertools.count():
        for target, sock in zip(targets, state["socks"]):
            if state["stop"].is_set():
                return
            outcome = "sent"
            try:
                sock.sendto(NUMBERED.pack(target["stream"], number),
                            (target["dst"], target["port"]))
            except OSError as error:
                outcome = word_for(error)
            counts = state["counts"].setdefault(target["stream"], {})
            counts[outcome] = counts.get(outcome, 0) + 1
        time.sleep(pause)


def stream(targets, pause=0.02):
    """One datagram a pause to each target {stream, dst, port, src}; never waits for an answer."""
    state = {"stop": threading.Event(), "counts": {}, "answers": {}, "socks": []}
    for target in targets:
        sock = deep(socket.socket(family_of(target["dst"]), socket.SOCK_DGRAM))
        if target.get("src"):
            sock.bind((target["src"], 0))
        else:
            sock.bind(("::" if ":" in target["dst"] else "0.0.0.0", 0))
        state["socks"].append(sock)
        threading.Thread(target=count_answers, args=(state, sock, target["stream"]),
                         daemon=True).start()
    state["thread"] = threading.Thread(target=run_streams, args=(state, targets, pause),
                                       daemon=True)
    state["thread"].start()
    handle = next(handles)
    streams[handle] = state
    return {"handle": handle}


def stream_stop(handle):
    """No more is sent; answers are counted on."""
    streams[handle]["stop"].set()
    streams[handle]["thread"].join(5.0)
    return {}


def streamed(handle):
    """{stream: {outcome: times, "answers": how many different ones}}"""
    state = streams[handle]
    return {str(stream): {**counts, "answers": len(state["answers"].get(stream, ()))}
            for stream, counts in list(state["counts"].items())}
