"""Python applications: requests and messages per second, and the tail at half of a peer's own top rate."""

import http.client
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import load, load_client, machine
from .machine import ComparisonError, Cores
from .python_cases import CONNECTIONS, Case
from .report import Row, Target
from .server import Server


@dataclass
class Entrant:
    """One server of a case: started for each of its rounds alone, as some spin while they are idle."""

    name: str
    start: Callable[[], Server]
    rounds: list[float] = field(default_factory=list)
    failure: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


@contextmanager
def running(entrant: Entrant, case: Case, cores: Cores) -> Iterator[Server]:
    """The entrant's server, ready, while the block runs."""
    server = entrant.start()
    # Whatever it answers first, it answers the case's own request; a body to be echoed may be empty.
    server.ready_path = case.path
    try:
        with machine.on_core(cores.load):
            server.start(cores.server)
            yield server
    finally:
        server.stop()


def answer(case: Case, server: Server) -> bytes:
    """What the server answers; raises when that is no 200, or not what is right."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST" if case.body else "GET", case.path, body=case.body)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise ComparisonError(f"status {response.status}")
    if case.answer is not None and body != case.answer:
        raise ComparisonError(f"another body ({len(body)} bytes) than expected ({len(case.answer)} bytes)")
    return body


def check(case: Case, entrants: list[Entrant], cores: Cores) -> None:
    """Asks each server once; one that is wrong, or does not start, takes no part, and is said to."""
    reference: bytes | None = None
    for entrant in entrants:
        try:
            with running(entrant, case, cores) as server:
                body = answer(case, server)
            if reference is not None and body != reference:
                raise ComparisonError(f"another answer than that of {entrants[0].name}")
            reference = body
        except (ComparisonError, OSError, http.client.HTTPException) as error:
            entrant.failure = f"{case.subject}: {entrant.name} takes no part: {error}"
            print(entrant.failure, flush=True)


def rate(case: Case, server: Server, script: Path, seconds: int, cores: Cores) -> float:
    """One round."""
    if case.is_websocket:
        seen = load_client.websocket(server.port, connections=case.connections, seconds=seconds, core=cores.load)
        return seen.per_second
    url = f"http://127.0.0.1:{server.port}{case.path}"
    return load.run(
        url, {}, seconds=seconds, core=cores.load, connections=case.connections, script=script
    ).requests_per_second


def contest(
    case: Case, subject: str, entrants: list[Entrant], folder: Path, rounds: int, seconds: int, cores: Cores
) -> list[Row]:
    """All servers in each round, one after the other."""
    check(case, entrants, cores)
    script = load.script(folder, case.body)
    taking_part = [entrant for entrant in entrants if not entrant.failure]
    for number in range(1, rounds + 1):
        for entrant in taking_part:
            with running(entrant, case, cores) as server:
                rate(case, server, script, 1, cores)
                entrant.rounds.append(rate(case, server, script, seconds, cores))
            print(f"{subject}, round {number}: {entrant.name} {entrant.rounds[-1]:,.0f}/s", flush=True)
    return rows(case, subject, entrants)


def rows(case: Case, subject: str, entrants: list[Entrant]) -> list[Row]:
    ours = next((one.median for one in entrants if one.name == "portico" and one.rounds), None)
    peers = [one for one in entrants if one.name != "portico" and one.rounds]
    best = max(peers, key=lambda one: one.median, default=None)
    result = []
    for peer in peers:
        bound = case.bounds.get(peer.name) or (case.bounds.get("best") if peer is best else None)
        target = Target(bound, at_least=True, is_ratio=True) if bound else None
        result.append(Row(subject, "/s", ours, peer.name, peer.median, target))
    return result or [Row(subject, "/s", ours)]


def tail(
    case: Case, subject: str, ours: Entrant | None, peer: Entrant, rounds: int, seconds: int, cores: Cores
) -> list[Row]:
    """The 99th percentile at half of the peer's own top rate, of both at the same rate."""
    try:
        with running(peer, case, cores) as server:
            load_client.count(server.port, case.request(), 2000, connections=CONNECTIONS, core=cores.load)
            top = load_client.count(server.port, case.request(), 40_000, connections=CONNECTIONS, core=cores.load)
    except (ComparisonError, OSError) as error:
        print(f"{subject}: {peer.name} takes no part: {error}", flush=True)
        return []
    wanted = int(top.per_second / 2)
    seen: dict[str, list[float]] = {}
    for number in range(1, rounds + 1):
        for entrant in filter(None, [ours, peer]):
            with running(entrant, case, cores) as server:
                load_client.count(server.port, case.request(), 2000, connections=CONNECTIONS, core=cores.load)
                one = load_client.at_rate(
                    server.port, case.request(), wanted, connections=CONNECTIONS, seconds=seconds, core=cores.load
                )
            seen.setdefault(entrant.name, []).append(one.p99_ms)
            print(f"{subject}, round {number}: {entrant.name} at {wanted:,}/s: p99 {one.p99_ms:.2f} ms", flush=True)
    value = statistics.median(seen["portico"]) if ours else None
    target = Target(1.0, at_least=False, is_ratio=True)
    return [Row(f"{subject}, p99 at {wanted}/s", "ms", value, peer.name, statistics.median(seen[peer.name]), target)]
