# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Ollama behind nginx, which asks for a key and logs, and its clients.

Without the key a request is answered 401. Each has a line in nginx's combined format.
What is no HTTP is echoed, for the probes of others.
"""
import socket
import threading
import time

from outcome import family_of, told
from slow import patient

apis = {}
FORMAT = '{who} - - [{when}] "{request}" {status} {size} "-" "{agent}"\n'
BODIES = {200: ("OK", b'{"models":[]}'), 401: ("Unauthorized", b'{"error":"unauthorized"}')}


class Api:
    """Of one port: its key, its log, and when it wrote about whom."""

    def __init__(self, key, log):
        self.key, self.log = key, log
        self.written = []  # (address, status, time)
        self.lock = threading.Lock()

    def note(self, who, request, status, agent):
        line = FORMAT.format(who=who, when=time.strftime("%d/%b/%Y:%H:%M:%S %z"), request=request,
                             status=status, size=len(BODIES[status][1]), agent=agent)
        with self.lock:
            with open(self.log, "a", encoding="ascii", errors="replace") as log:
                log.write(line)
            self.written.append((who, status, time.time()))

    def serve(self, connection, who):
        with connection:
            connection.settimeout(300.0)
            try:
                data = connection.recv(65536)
                if data.startswith((b"GET ", b"POST ")):
                    while b"\r\n\r\n" not in data:
                        data += connection.recv(65536)
                    connection.sendall(self.answer(data.decode("ascii", "replace"), who))
                    return
                while data:
                    connection.sendall(data)
                    data = connection.recv(65536)
            except OSError:
                pass

    def answer(self, head, who):
        request, *fields = head.split("\r\n\r\n", 1)[0].split("\r\n")
        named = dict(field.split(": ", 1) for field in fields if ": " in field)
        status = 200 if named.get("Authorization") == f"Bearer {self.key}" else 401
        self.note(who, request, status, named.get("User-Agent", "-"))
        word, body = BODIES[status]
        return (f"HTTP/1.1 {status} {word}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body

    def accept(self, listener):
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection, address[0]),
                             daemon=True).start()


def serve_api(port, key, log):
    """The API on that port in each family."""
    apis[port] = Api(key, log)
    for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        listener = socket.create_server((anywhere, port), family=family, backlog=256)
        threading.Thread(target=apis[port].accept, args=(listener,), daemon=True).start()
    return {}


def api_lines(port):
    """What it has written: [address, status, time]."""
    with apis[port].lock:
        return {"lines": list(apis[port].written)}


def ask_api(dst, port, keys, patience=2.0, pause=0.0, timeout=60.0):
    """A request with each of the keys, on a connection each, until one is not answered; the
    statuses, or the word for what came instead."""
    until = time.monotonic() + patient(timeout)
    answers = []
    for key in keys:
        request = (f"POST /api/generate HTTP/1.1\r\nHost: ollama\r\nAuthorization: Bearer {key}\r\n"
                   "User-Agent: lab\r\nContent-Length: 0\r\n\r\n")
        try:
            with socket.socket(family_of(dst), socket.SOCK_STREAM) as sock:
                sock.settimeout(patient(patience))
                sock.connect((dst, port))
                sock.sendall(request.encode())
                got = sock.recv(65536).split(b" ")
            answers.append(got[1].decode() if len(got) > 1 else "closed")
        except OSError as error:
            answers.append(told(error)["result"])
        if not answers[-1].isdigit() or time.monotonic() > until:
            break
        time.sleep(pause)
    return {"answers": answers}
