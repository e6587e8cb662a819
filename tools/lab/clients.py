# SPDX-License-Identifier: Apache-2.0
"""Clients that come again and again, and how they were served."""
import time

import probes
from slow import patient


def visit(dst, port, count, pause=0.04, patience=8.0, timeout=30.0):
    """Opens `count` connections one after the other. Each is served when its echo has come
    back, in the milliseconds of `took`; a SYN that is lost on the way is sent again within
    `patience`. What is not tried within `timeout` is not served."""
    until = time.monotonic() + patient(timeout)
    took = []
    for _ in range(count):
        if time.monotonic() > until:
            break
        begun = time.monotonic()
        if probes.tcp(dst, port, timeout=patience)["result"] == "open":
            took.append(1000 * (time.monotonic() - begun))
        time.sleep(pause)
    return {"asked": count, "served": len(took), "took": took}
