# SPDX-License-Identifier: Apache-2.0
"""What became of an attempt, as one word."""
import errno
import socket

WORDS = {
    errno.EPERM: "eperm",
    errno.EACCES: "eacces",
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "aborted",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EAGAIN: "timeout",
    errno.EINPROGRESS: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EMSGSIZE: "too-big",
}


def word_for(error):
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timeout"
    return WORDS.get(error.errno, errno.errorcode.get(error.errno, str(error.errno)).lower())


def told(error):
    return {"result": word_for(error), "detail": str(error)}


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def asked(sock, dst, port, timeout):
    """A datagram over the socket, and whether anything comes back."""
    sock.settimeout(timeout)
    try:
        sock.sendto(b"asked", (dst, port))
        sock.recv(65536)
        return {"result": "open"}
    except OSError as error:
        return told(error)
