# SPDX-License-Identifier: Apache-2.0
"""Many connections of one client at once, and ends that their other end hears nothing of."""
import socket
import struct
import threading

import probes
from outcome import told
from slow import patient

TCP_REPAIR = 19


def crowd(dst, port, number, src="", timeout=1.0):
    """
    So many connect at the same moment, each with an exchange; those that are open stay. Who
    is not heard gives up by a RST: by a FIN that is sent again it would come in later.
    """
    start, results = threading.Barrier(number), []

    def one():
        start.wait()
        result = knock(dst, port, src=src, timeout=timeout)
        if "handle" in result:
            handle = result["handle"]
            result = probes.exchange(handle, timeout=timeout)
            if result["result"] == "open":
                result["handle"] = handle
            else:
                abort(handle)
        results.append(result)
    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = {}
    for result in results:
        counts[result["result"]] = counts.get(result["result"], 0) + 1
    return {"counts": counts, "handles": [r["handle"] for r in results if "handle" in r]}


def knock(dst, port, src="", timeout=1.0):
    """Connects and says nothing yet; `handle` names it."""
    try:
        sock, dst = probes.make(socket.SOCK_STREAM, dst, src, 0, timeout, False)
        sock.connect((dst, port))
    except OSError as error:
        return told(error)
    handle = next(probes.handles)
    probes.sockets[handle] = sock
    return {"result": "open", "handle": handle}


def abort(handle):
    """Ends it with a RST."""
    sock = probes.sockets.pop(handle)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    return {}


def vanish(handle):
    """Ends it without a word, as a machine that is switched off."""
    sock = probes.sockets.pop(handle)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    sock.close()
    return {}


def fast(dst, port, timeout=1.0):
    """As `hold`, with its first bytes in the SYN where a cookie of an earlier one allows it."""
    try:
        sock, dst = probes.make(socket.SOCK_STREAM, dst, "", 0, timeout, False)
        sock.setblocking(True)
        limit = struct.pack("ll", int(patient(timeout)), int(patient(timeout) % 1 * 1e6))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        sock.sendto(b"fast open", probes.MSG_FASTOPEN, (dst, port))
        answer = probes.exchange_on(sock)
    except OSError as error:
        return told(error)
    handle = next(probes.handles)
    probes.sockets[handle] = sock
    return {**answer, "handle": handle}
