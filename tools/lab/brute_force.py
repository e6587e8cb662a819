# SPDX-License-Identifier: Apache-2.0
"""An act of the quick start: somebody guesses the keys of an API, and its own log bans him."""
import datetime

from flows import DROPPED, Flow
from local_ai_site import ADDRESS, API_KEY

PORT = 11434
JAIL = "jail:ollama-keys"
NETWORK = {4: ADDRESS["workstation"][4], 6: "fd00:10:0:3::/64"}
RETRIES = 5        # the jail's max-retry
GUESSES = 200      # that he would make
AFTER = 3          # connections he tries once he is banned
VISITS = 10        # requests of the user, before the guessing and after it
TITLE = "A brute force on the Ollama API"
STORY = ("The workstation guesses keys of the API; each 401 is a line in nginx's access log, and\n"
         f"the jail bans at the {RETRIES}th. Somebody at the proxy mistypes his own key "
         f"{RETRIES - 1} times.")


def seconds(event):
    return datetime.datetime.fromisoformat(event["ts"].replace("Z", "+00:00")).timestamp()


def ask(site, who, family, keys, **more):
    return site.people[who].call("ask_api", dst=ADDRESS["ai"][family], port=PORT, keys=keys,
                                 **more)["answers"]


def user(site, family, mistakes):
    """So many wrong keys, then the right one; the answers to the right ones."""
    return ask(site, "proxy", family, ["mistyped"] * mistakes + [API_KEY] * VISITS,
               patience=8.0)[mistakes:]


def guessing(site, tail, family):
    """(tries that were answered, the ban or None, how many connections after it were)."""
    answers = ask(site, "workstation", family, [f"guess-{i}" for i in range(GUESSES)], timeout=30.0)
    ban = tail.wait(15.0, event="ban", origin=JAIL, network=NETWORK[family])
    after = [ask(site, "workstation", family, [API_KEY], patience=1.0)[0] for _ in range(AFTER)]
    return answers.count("401"), ban, sum(word.isdigit() for word in after)


def delay_ms(site, ban, family):
    """From the line that was one too many to the ban."""
    lines = site.services["ollama"].call("api_lines", port=PORT)["lines"]
    wrong = [at for who, status, at in lines
             if who == ADDRESS["workstation"][family] and status == 401]
    return 1000 * (seconds(ban) - wrong[RETRIES - 1])


def row(family, what, expected, got):
    return Flow(what, family, "", "", {}, expected), got, got.startswith(expected)


def play(site, guard, tail, say):
    """The act; rows for the closing table."""
    rows = []
    for family in (4, 6):
        calm = user(site, family, RETRIES - 1)
        tries, ban, answered = guessing(site, tail, family)
        still = user(site, family, 0)
        served = calm.count("200") + still.count("200")
        got = "never banned"
        if ban is not None:
            got = f"banned, then {DROPPED if not answered else 'answered'}"
            say(f"  IPv{family}  guesser  {tries} keys tried, banned as {ban['network']} for "
                f"{ban.get('seconds', 0)} s, {delay_ms(site, ban, family):.0f} ms after line "
                f"{RETRIES}\n"
                f"        after    {answered} of {AFTER} connections answered\n"
                f"        user     {served} of {2 * VISITS} requests served")
        rows.append(row(family, "keys guessed at Ollama", "banned, then dropped", got))
        drop = tail.wait(8.0, event="drop", reason="banned", src=ADDRESS["workstation"][family])
        rows.append(row(family, "told of the guesser", "drop: banned",
                        f"drop: {drop['reason']}" if drop else "no such event"))
        rows.append(row(family, "Ollama by who mistyped his key", f"all {2 * VISITS} served",
                        f"all {2 * VISITS} served" if served == 2 * VISITS else f"{served} served"))
    return rows
