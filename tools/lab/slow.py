# SPDX-License-Identifier: Apache-2.0
"""How much slower than usual this machine is: SP_SLOW, 1 where it is not set.

An emulated processor takes several times as long for the same. What waits for
something to come about waits that much longer; what is expected stays the same.
"""
import os

FACTOR = max(1.0, float(os.environ.get("SP_SLOW") or 1))


def patient(seconds):
    """That long on a machine of the usual speed."""
    return seconds * FACTOR
