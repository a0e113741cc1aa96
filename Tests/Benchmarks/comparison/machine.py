"""What the comparison needs from this machine: two cores, open files, ports, folders, programs."""

import os
import platform
import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
CHECKOUT = BENCHMARKS.parent.parent


class ComparisonError(Exception):
    """Something that makes a measurement impossible or wrong; the message says what and how to mend it."""


@dataclass(frozen=True)
class Cores:
    """The core that servers are pinned to, and the one that the load comes from."""

    server: int
    load: int


def cores(server: int | None, load: int | None) -> Cores:
    """The first two cores this process may use, or the ones asked for."""
    usable = sorted(os.sched_getaffinity(0))
    if server is None or load is None:
        if len(usable) < 2:
            raise ComparisonError("two cores are needed: one for the server, one for the load")
        server = usable[0] if server is None else server
        load = next(core for core in usable if core != server) if load is None else load
    if server == load:
        raise ComparisonError("the server and the load generator need a core each")
    return Cores(server, load)


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keeps this process off the core that serves while the block runs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_open_files() -> int:
    """Raises this process's limit of open files (servers inherit it) as far as allowed; returns the new limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def require(*programs: str) -> None:
    """Checks that each program can be found; Debian's package of the same name carries it."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise ComparisonError(f"missing: {' '.join(missing)} (apt-get install {' '.join(missing)})")


def cache_folder() -> Path:
    """Where things that are expensive to make stay between runs; outside the checkout."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "portico-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Runs a preparing command with its output on the terminal; a failure ends the comparison."""
    print(f"$ {' '.join(command)}", flush=True)
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, check=False)
    if done.returncode != 0:
        raise ComparisonError(f"`{' '.join(command)}` failed with status {done.returncode}")


def output(command: list[str], *, cwd: Path | None = None) -> str:
    """What a short command prints on either stream, or an empty string where it cannot be run."""
    try:
        done = subprocess.run(
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def description() -> str:
    """The processor, the number of cores and the kernel, for the head of a report."""
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    model = models[0] if models else platform.machine()
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"
