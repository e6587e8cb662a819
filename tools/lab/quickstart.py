# SPDX-License-Identifier: Apache-2.0
"""Guards the AI host of a lab site, tries the flows of flows.py, plays its acts, and compares.

    quickstart.py BINARY POLICY

Exit code 0 when everything was as expected, 1 when not, 3 when the lab or the
wall could not be set up. Started by scripts/quickstart.
"""
import os
import signal
import subprocess
import sys
import threading
import time

import brute_force
import syn_flood
from cgroups import NotHere
from flows import DROPPED, SEEN_AS, chapters
from guard import Guard, NotReady
from local_ai_site import Site

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
TIME_LIMIT = 180  # seconds for the whole of it
CGROUP_LINE = 'cgroup = "/"'
LOG_LINE = 'log       = ["/var/log/nginx/ollama.log"]'
talk = threading.Lock()


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text=""):
    with talk:
        print(text, flush=True)


def policy_for(lab, example):
    """The example, with the lab's cgroup and the lab's log, which are not the machine's."""
    with open(example, encoding="utf-8") as file:
        text = file.read()
    for line, ours in ((CGROUP_LINE, f'cgroup = "{lab.cgroup.path}"'),
                       (LOG_LINE, f'log       = ["{lab.api_log}"]')):
        if text.count(f"\n{line}\n") != 1:
            raise NotHere(f"{example} must have the line '{line}' once")
        text = text.replace(f"\n{line}\n", f"\n{ours}\n")
    return text


def show_live(guard):
    """`sallyport tail` as a person would see it, beside the traffic."""
    environment = dict(guard.environment)
    if COLOUR:
        environment.pop("NO_COLOR")
    tail = guard.lab.start(guard.command("tail"), stdout=subprocess.PIPE, text=True,
                           env=environment)

    def read():
        for line in tail.stdout:
            say(paint("2", "  tail | ") + line.rstrip("\n"))
    threading.Thread(target=read, daemon=True).start()


def wait_for_readers(guard, tail, prober):
    """Until the streams are served: an event that we cause ourselves comes through."""
    for port in range(9001, 9041):
        prober.call("udp", dst="10.0.1.5", port=port, wait=False)
        if tail.wait(0.25, dst_port=port):
            return
    raise NotHere("no event came through `sallyport tail`; the daemon said:\n" + guard.said())


def stray(actor, arguments):
    """Sends the segment and listens for what the wall must not let out: any answer."""
    ears = actor.call("capture", interface="eth0")["handle"]
    sent = actor.call("raw", **arguments)
    time.sleep(0.3)
    heard = actor.call("captured", handle=ears)["frames"]
    if sent["result"] != "sent":
        return sent["result"]
    # Port 8443 answering ours, in either family's header: RST or anything else.
    return "answered" if any("20fb9c41" in frame for frame in heard) else "timeout"


def attempt(site, flow):
    group, name = flow.actor.split("/")
    actor = getattr(site, group)[name]
    if flow.op == "stray":
        return stray(actor, flow.arguments)
    return actor.call(flow.op, **flow.arguments, timeout=1.0)["result"]


def try_all(site, flows):
    """All flows at once: most of the time goes into waiting for answers that must not come."""
    results = [None] * len(flows)

    def one(index):
        try:
            results[index] = attempt(site, flows[index])
        except RuntimeError as error:
            results[index] = str(error)
    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(len(flows))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    return results


def judge(flow, result, tail, until):
    """(what was got, whether it is what was expected)."""
    got = SEEN_AS.get(result, result or "no result")
    good = got == flow.expected
    if not flow.reasons or not good:
        return got, good
    event = tail.wait(max(0.1, until - time.monotonic()), event=flow.event, **flow.facts)
    if event is None:
        return f"{got}, but no such event", False
    if flow.event != "drop":
        return f"{got}, reported", True
    return f"{got}: {event['reason']}" + (", exfil" if event.get("exfil") else ""), \
        event["reason"] in flow.reasons


def expectation(flow):
    if flow.event != "drop":
        return f"{flow.expected}, reported"
    if not flow.reasons:
        return flow.expected
    return f"{flow.expected}: {flow.reasons[0]}" + (", exfil" if flow.facts.get("exfil") else "")


def table(rows):
    """Prints the closing table and returns how many rows were wrong."""
    head = ("what", "family", "expected", "got", "")
    cells = [(f.what, f"IPv{f.family}", expectation(f), got, "OK" if good else "WRONG")
             for f, got, good in rows]
    widths = [max(len(row[i]) for row in [head, *cells]) for i in range(5)]
    say(paint("1", "  ".join(h.ljust(w) for h, w in zip(head, widths)).rstrip()))
    say("  ".join("-" * w for w in widths))
    for row in cells:
        line = "  ".join(c.ljust(w) for c, w in zip(row[:4], widths))
        say(f"{line}  {paint('32' if row[4] == 'OK' else '1;31', row[4])}")
    return sum(row[4] != "OK" for row in cells)


def show(site, binary, example):
    guard = Guard(site, site.ai, binary)
    policy = guard.write_policy(policy_for(site, example))
    say(f"Policy: {example}, with its cgroup set to {site.cgroup.path},\n"
        "so that only the lab's processes are bound by it, and with the lab's log in its jail.")
    guard.start(policy)
    try:
        say(guard.call("status").stdout.splitlines()[0])
        show_live(guard)
        tail = guard.tail()
        wait_for_readers(guard, tail, site.people["workstation"])
        rows = []
        for chapter in chapters():
            say("\n" + paint("1", chapter.title) + "\n" + chapter.story)
            results = try_all(site, chapter.flows)
            until = time.monotonic() + 4.0  # by when the events of all of them must be there
            rows += [(f, *judge(f, r, tail, until)) for f, r in zip(chapter.flows, results)]
            time.sleep(0.3)  # lets the live lines end before the next chapter begins
        for act in (syn_flood, brute_force):
            say("\n" + paint("1", act.TITLE) + "\n" + act.STORY)
            rows += act.play(site, guard, tail, say)
        say()
        wrong = table(rows)
        if wrong:
            say("\nThe daemon said:\n" + guard.said())
        return rows, wrong
    finally:
        guard.stop()
        guard.down()


def main(binary, example):
    say("Laying a site of 8 machines (network namespaces): internet, router, DMZ, admin station,\n"
        "proxy, workstation, AI host, data host. Nothing of this machine's own network is touched.")
    begun = time.monotonic()
    with Site("quickstart") as site:
        rows, wrong = show(site, binary, example)
    dropped = sum(f.expected == DROPPED for f, _, _ in rows)
    say(f"\n{len(rows)} flows, {wrong} not as expected; {dropped} had to be dropped in silence. "
        f"Took {time.monotonic() - begun:.0f} s; the lab is gone.")
    return 1 if wrong else 0


def end(number, _):
    print(f"quickstart: ended by {signal.Signals(number).name}; taking the lab down",
          file=sys.stderr)
    sys.exit(3 if number == signal.SIGALRM else 128 + number)


if __name__ == "__main__":
    for ending in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGINT):
        signal.signal(ending, end)
    signal.alarm(TIME_LIMIT)
    try:
        sys.exit(main(*sys.argv[1:3]))
    except (NotHere, NotReady) as error:
        print(f"quickstart: {error}", file=sys.stderr)
        sys.exit(3)
