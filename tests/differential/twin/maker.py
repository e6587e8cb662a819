# SPDX-License-Identifier: Apache-2.0
"""Makes sockets for another: in its own network namespace and cgroup, handed over as descriptors.

A socket belongs to the cgroup of the process that made it. Sallyport's egress
rules bind a cgroup in every network namespace, so the sockets of host `a` must
be made below it and those of host `b` outside. Rules for a unit of that host are
told apart by the cgroup too.
"""
import array
import os
import signal
import socket
import struct

from enter import PR_SET_PDEATHSIG, checked, enter_cgroup, enter_netns, libc

REQUEST = struct.Struct("=iiii")


class Maker:
    """A child process, entered into the namespace (a file) and the cgroup (a directory, or None)."""

    def __init__(self, netns, cgroup):
        near, far = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                near.close()
                serve(far, netns, cgroup)
            finally:
                os._exit(0)
        far.close()
        self.channel = near
        self.channel.settimeout(10.0)

    def socket(self, family, kind, proto=0, uid=0):
        self.channel.send(REQUEST.pack(family, kind, proto, uid))
        said, descriptors, _, _ = socket.recv_fds(self.channel, 16, 1)
        if not descriptors:
            number = struct.unpack("=i", said)[0]
            raise OSError(number, os.strerror(number))
        return socket.socket(fileno=descriptors[0])

    def close(self):
        self.channel.close()
        os.kill(self.pid, signal.SIGKILL)  # a later child may hold our end of the channel too
        os.waitpid(self.pid, 0)


def serve(channel, netns, cgroup):
    checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if cgroup is not None:
        enter_cgroup(cgroup)
    enter_netns(netns)
    while True:
        request = channel.recv(REQUEST.size)
        if not request:
            return
        try:
            family, kind, proto, uid = REQUEST.unpack(request)
            os.seteuid(uid)
            try:
                made = socket.socket(family, kind, proto)
            finally:
                os.seteuid(0)
            with made:
                channel.sendmsg([bytes(4)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                              array.array("i", [made.fileno()]))])
        except OSError as error:
            channel.send(struct.pack("=i", error.errno))
