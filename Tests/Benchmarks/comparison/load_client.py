"""The load that wrk cannot make: a number of requests, a fixed rate, WebSocket echoes (`load-client/client.c`)."""

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .machine import BENCHMARKS, ComparisonError

SOURCE = BENCHMARKS / "load-client" / "client.c"
MESSAGE_SIZE = 64


@dataclass(frozen=True)
class Seen:
    """What one run saw."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def binary() -> Path:
    """The client, compiled when its source has changed."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    built = machine.cache_folder() / f"load-client-{digest}"
    if not built.exists():
        machine.run(["cc", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o", str(built), str(SOURCE)])
    return built


def count(port: int, request: bytes, requests: int, *, connections: int, core: int) -> Seen:
    """Sends so many requests, as fast as they are answered."""
    return run(["count", port, connections, requests], request, core)


def at_rate(port: int, request: bytes, rate: int, *, connections: int, seconds: int, core: int) -> Seen:
    """Sends so many requests a second. The latency of each is counted from when it was due."""
    return run(["rate", port, connections, rate, seconds], request, core)


def websocket(port: int, *, connections: int, seconds: int, core: int, messages: int = 0) -> Seen:
    """Sends a text of 64 bytes on each connection, and the next when it has come back."""
    return run(["websocket", port, connections, MESSAGE_SIZE, seconds, messages], b"", core)


def run(arguments: list[str | int], request: bytes, core: int) -> Seen:
    command = ["taskset", "-c", str(core), str(binary()), *map(str, arguments)]
    done = subprocess.run(command, input=request, capture_output=True, check=False)
    if done.returncode != 0:
        raise ComparisonError(f"`{' '.join(command)}`: {done.stderr.decode().strip()}")
    seen = json.loads(done.stdout)
    if seen["errors"]:
        raise ComparisonError(f"`{' '.join(command)}`: {seen['errors']} of {seen['requests']} answers were wrong")
    return Seen(
        requests=seen["requests"],
        seconds=seen["seconds"],
        p50_ms=seen["p50_microseconds"] / 1000,
        p99_ms=seen["p99_microseconds"] / 1000,
    )
