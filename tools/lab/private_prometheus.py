# SPDX-License-Identifier: Apache-2.0
"""A Prometheus of a lab's own: its directory and port; nothing of the machine's.

The programs are those that scripts/setup has unpacked into build/prometheus, or that are
installed: `prometheus` and `promtool`.
"""
import json
import os
import subprocess
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PACKAGED = os.path.join(ROOT, "tools", "packaging", "prometheus")
PLACES = (os.path.join(ROOT, "build", "prometheus"), "/")
PLACE = next((place for place in PLACES
              if os.path.exists(os.path.join(place, "usr/bin/promtool"))), None)
MISSING = "there is no Prometheus: scripts/setup unpacks it"


def program(name):
    return os.path.join(PLACE, "usr/bin", name)


def promtool(*words, text=None):
    """What promtool says, and its exit code."""
    done = subprocess.run([program("promtool"), *words], input=text, capture_output=True, text=True,
                          timeout=60.0, check=False)
    return done.returncode, done.stdout + done.stderr


# In the lab's namespace: the address and what to ask are its arguments.
ASK = """
import sys, urllib.request
sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())
"""


class Prometheus:
    """Scrapes one address of `host`, twice a second, with the rules that are packaged."""

    def __init__(self, lab, host, directory, scraped, address="127.0.0.1:9090"):
        self.host, self.address = host, address
        os.makedirs(directory, exist_ok=True)
        config = os.path.join(directory, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "500ms", "scrape_timeout": "400ms",
                                  "evaluation_interval": "500ms"},
                       "rule_files": [os.path.join(PACKAGED, "sallyport.rules.yml")],
                       "scrape_configs": [{"job_name": "sallyport",
                                           "static_configs": [{"targets": [scraped]}]}]}, file)
        with open(os.path.join(directory, "log"), "w", encoding="utf-8") as log:
            self.process = lab.start(host.command(
                [program("prometheus"), f"--config.file={config}", f"--web.listen-address={address}",
                 f"--storage.tsdb.path={directory}/data"]), stdout=log, stderr=subprocess.STDOUT)

    def get(self, path, **values):
        """What its API answers, as data; None while it does not."""
        url = f"http://{self.address}/api/v1/{path}?" + urllib.parse.urlencode(values)
        done = subprocess.run(self.host.command([sys.executable, "-c", ASK, url]),
                              capture_output=True, text=True, timeout=30.0, check=False)
        if done.returncode != 0:
            return None
        return json.loads(done.stdout)["data"]

    def query(self, expression):
        """Its samples: [(labels, value)]."""
        found = self.get("query", query=expression)
        return [] if found is None else [(one["metric"], float(one["value"][1]))
                                         for one in found["result"]]

    def wait(self, expression, patience=30.0):
        """The samples, as soon as there are any."""
        until = time.monotonic() + patience
        while True:
            found = self.query(expression)
            if found or time.monotonic() > until:
                return found
            time.sleep(0.3)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
