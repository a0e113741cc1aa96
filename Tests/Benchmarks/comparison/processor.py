"""Processor time: what a request costs the server, and what other programs take away meanwhile."""

import os
import resource
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree_seconds(pid: int) -> float:
    """What a process and its living descendants have used so far."""
    try:
        # After the name in parentheses: utime is field 14 of proc(5), stime field 15.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / TICKS + sum(tree_seconds(int(child)) for child in children)


def load_seconds() -> float:
    """What this process and its finished children (the load generator) have used so far."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def machine_seconds(*cores: int) -> float:
    """What these cores have been busy so far, for whomever, the host's other guests included."""
    busy = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *numbers = line.split()
        if name in {f"cpu{core}" for core in cores}:
            user, nice, system, _, _, interrupt, soft, steal = map(int, numbers[:8])
            busy += user + nice + system + interrupt + soft + steal
    return busy / TICKS
