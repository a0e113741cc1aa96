"""Requests per second: the same request to each server in turn, round after round."""

import gzip
import http.client
import re
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from . import load, processor
from .machine import ComparisonError, Cores
from .report import Row, Target
from .server import Server

DISTURBANCE = 0.15
"""Cores' worth of other programs' work from which on a round is marked."""


@dataclass
class Entrant:
    """One server's part in a contest: where it is asked, and what it must answer."""

    server: Server
    path: str
    target: Target | None = None
    """What Portico's number has to be against this entrant's."""
    label: str = ""
    rounds: list[float] = field(default_factory=list)
    disturbed_rounds: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}{self.path}"

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def measure(self, headers: dict[str, str], seconds: int, cores: Cores) -> str:
        """Adds one round, and describes it: the rate, the tail, what a request costs, and who else was busy."""
        server = self.server.process.pid if self.server.process else 0
        before = times(server, cores)
        seen = load.run(self.url, headers, seconds=seconds, core=cores.load)
        after = times(server, cores)
        spent, generator, machine = (now - then for now, then in zip(after, before, strict=True))
        self.rounds.append(seen.requests_per_second)
        others = max(0, machine - spent - generator) / seconds
        is_disturbed = others > DISTURBANCE
        self.disturbed_rounds += is_disturbed
        return (
            f"{self.server.name} {seen.requests_per_second:,.0f}/s, 99 % within {seen.latency_p99_ms:.1f} ms, "
            f"{spent / seen.requests * 1e6:.1f} µs of processor each"
            + (f"; DISTURBED: others kept {others:.0%} of a core busy" if is_disturbed else "")
        )


@dataclass
class Expectation:
    """The right answer: all of its body; or how often patterns are found in it, and that all servers give the same."""

    content_type: str
    body: bytes | None = None
    patterns: dict[bytes, int] = field(default_factory=dict)
    same_without: bytes | None = None
    """The bodies of all servers are the same once what matches this pattern is taken away."""
    gzipped: bool = False


@dataclass
class Contest:
    """One kind of request, asked of Portico and of its peers."""

    subject: str
    portico: Entrant | None
    peers: list[Entrant]
    expectation: Expectation
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def entrants(self) -> list[Entrant]:
        return ([self.portico] if self.portico else []) + self.peers

    def check(self) -> None:
        """Asks each server once; nothing is measured that is not right."""
        reference: bytes | None = None
        for entrant in self.entrants:
            body, problem = judged(entrant, self.headers, self.expectation)
            if self.expectation.same_without is not None:
                body = re.sub(self.expectation.same_without, b"", body)
                reference = body if reference is None else reference
                if body != reference:
                    problem = problem or f"another page than that of {self.entrants[0].server.name}"
            if problem:
                raise ComparisonError(f"{self.subject}: {entrant.server.name} {entrant.path}: {problem}")

    def run(self, *, rounds: int, seconds: int, cores: Cores) -> list[Row]:
        """Measures all entrants in each round, so that what disturbs the machine disturbs all of them alike."""
        for entrant in self.entrants:
            load.run(entrant.url, self.headers, seconds=1, core=cores.load)
        for number in range(1, rounds + 1):
            for entrant in self.entrants:
                print(f"{self.subject}, round {number}: {entrant.measure(self.headers, seconds, cores)}", flush=True)
        value = self.portico.median if self.portico else None
        return [
            Row(
                *(self.subject, "/s", value, peer.label or peer.server.name, peer.median, peer.target),
                disturbed_rounds=sum(one.disturbed_rounds for one in filter(None, [self.portico, peer])),
            )
            for peer in self.peers
        ]


def judged(entrant: Entrant, headers: dict[str, str], expectation: Expectation) -> tuple[bytes, str | None]:
    """The entrant's answer, and what is wrong with it."""
    connection = http.client.HTTPConnection("127.0.0.1", entrant.server.port, timeout=10)
    try:
        connection.request("GET", entrant.path, headers=headers)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        return body, f"status {response.status}"
    content_type = response.getheader("Content-Type", "")
    if not content_type.startswith(expectation.content_type):
        return body, f"Content-Type {content_type!r}, expected {expectation.content_type}"
    coding = response.getheader("Content-Encoding", "identity")
    if coding != ("gzip" if expectation.gzipped else "identity"):
        return body, f"Content-Encoding {coding}"
    if expectation.gzipped:
        body = gzip.decompress(body)
    return body, difference(body, expectation)


def difference(body: bytes, expectation: Expectation) -> str | None:
    """How a decoded body differs from the expected one."""
    if expectation.body is not None and body != expectation.body:
        return f"another body ({len(body)} bytes) than expected ({len(expectation.body)} bytes)"
    for pattern, count in expectation.patterns.items():
        found = len(re.findall(pattern, body))
        if found != count:
            return f"{pattern.decode()} is found {found} times in the body, expected {count}"
    return None


def times(server: int, cores: Cores) -> tuple[float, float, float]:
    """Seconds used so far by the server, by the load generator, and by everybody on the two cores."""
    return (
        processor.tree_seconds(server),
        processor.load_seconds(),
        processor.machine_seconds(cores.server, cores.load),
    )


@contextmanager
def running(servers: list[Server], core: int) -> Iterator[None]:
    """Starts the servers; stops them however the block ends."""
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
            server.start(core)
        yield
