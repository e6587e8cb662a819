# SPDX-License-Identifier: Apache-2.0
"""Programs of somebody else's (foreign_programs), as object files."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def foreign(name, directory):
    """The object's path: from SP_FOREIGN, where there is no compiler, or made in the directory."""
    ready = os.environ.get("SP_FOREIGN")
    if not ready:
        ready = directory
        subprocess.run([os.path.join(HERE, "foreign_programs", "compile"), directory], check=True,
                       timeout=60)
    return os.path.join(ready, name + ".o")
