"""Runs a program under resource limits that it cannot raise: `rlimits.py LIMITS PROGRAM [ARGUMENT …]`."""

from __future__ import annotations

import json
import os
import resource
import sys


def keep(limits: dict[str, int]) -> None:
    """Limit this process and all that it starts; `limits` has names of `resource`. A lower limit stays."""
    for name, value in limits.items():
        kind = getattr(resource, name)
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    keep(json.loads(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
