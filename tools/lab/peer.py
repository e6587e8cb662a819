# SPDX-License-Identifier: Apache-2.0
"""The far end: a process in some machine of the lab that does as it is asked.

    peer.py [--name COMM] [--uid UID]          requests on stdin, answers on stdout
    peer.py [--name COMM] [--uid UID] OP JSON  one operation, its answer on stdout

A request is a line {"id": 1, "op": "tcp", "dst": "10.0.0.1", "port": 22}; an
answer is {"id": 1, "value": {...}} or {"id": 1, "failed": "why"}. Operations
run side by side, each in a thread. The process ends with its stdin. It is an
ordinary process with a user, a cgroup and a name, which is what egress rules
and events speak of.
"""
import encodings.idna  # noqa: F401  loaded now: after --uid the files may be out of reach
import json
import os
import sys
import threading

import clients
import crowd
import detours
import frames
import groups
import ollama_api
import pass_all
import probes
import resolver
import servers
import streams
import uring
import xdp_sockets
from enter import set_name

OPERATIONS = {
    "hello": lambda: {"pid": os.getpid()},
    "move": lambda cgroup: {"moved": move(cgroup)},
}
for module, names in (
        (clients, ("visit",)),
        (ollama_api, ("serve_api", "api_lines", "ask_api")),
        (pass_all, ("pass_all",)),
        (servers, ("listen", "unlisten")),
        (probes, ("tcp", "udp", "sctp", "hold", "exchange", "turn", "release", "scatter", "make_udp",
                  "send_on", "ping", "raw", "bulk", "loop", "loop_counts", "loop_end")),
        (resolver, ("serve_names", "look_up")),
        (streams, ("sink", "sunk", "stream", "stream_stop", "streamed")),
        (detours, ("open_socket", "close_socket", "set_bypass", "send_frame_on", "ask_on",
                   "await_socket", "give_socket", "fetch_socket", "stream_to", "listen_stream", "udplite",
                   "echo_udplite", "send_elsewhere", "sendmmsg", "ping_socket", "send_routed", "send_group")),
        (crowd, ("crowd", "knock", "abort", "vanish", "fast")),
        (groups, ("route_group",)),
        (uring, ("uring_connect", "uring_sendmsg", "uring_socket")),
        (xdp_sockets, ("open_xdp", "send_xdp")),
        (frames, ("send_frames", "flood", "capture", "captured", "tun", "tun_send", "tun_read"))):
    for operation in names:
        OPERATIONS[operation] = getattr(module, operation)

say = threading.Lock()


def move(directory):
    with open(os.path.join(directory, "cgroup.procs"), "w", encoding="ascii") as procs:
        procs.write(str(os.getpid()))
    return directory


def answer(request):
    number = request.pop("id")
    try:
        reply = {"id": number, "value": OPERATIONS[request.pop("op")](**request)}
    except Exception as error:  # pylint: disable=broad-except
        # Whatever it was, the near end must hear of it rather than wait.
        reply = {"id": number, "failed": f"{type(error).__name__}: {error}"}
    with say:
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


def main(argv):
    options = {}
    while argv and argv[0].startswith("--"):
        options[argv[0]] = argv[1]
        argv = argv[2:]
    set_name(options.get("--name", "peer"))
    if "--uid" in options:
        uid = int(options["--uid"])
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    if argv:
        print(json.dumps(OPERATIONS[argv[0]](**json.loads(argv[1] if argv[1:] else "{}"))))
        return
    for line in sys.stdin:
        threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
    os._exit(0)  # threads that still wait for a packet are of no use to anybody


if __name__ == "__main__":
    main(sys.argv[1:])
