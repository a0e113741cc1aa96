"""The part `python` of the comparison: WSGI and ASGI applications under Portico and under the servers of PyPI."""

from dataclasses import dataclass, replace
from pathlib import Path

from . import footprint, load_client, machine, portico, python_cases, python_peers, python_rates
from .machine import Cores
from .python_cases import Case
from .python_peers import Environment
from .python_rates import Entrant
from .report import Row, Target
from .server import Server

GROWTH = Target(1.0, at_least=False, is_ratio=False)
IDLE = Target(10.0, at_least=False, is_ratio=False)


@dataclass(frozen=True)
class PythonSetting:
    """What this part needs to know beside the general setting."""

    interpreters: list[Path]
    cases: list[str]
    peers: list[str] | None
    growth_requests: int


@dataclass(frozen=True)
class Contestants:
    """The servers of one interpreter."""

    folder: Path
    environment: Environment
    binary: Path | None
    peers: list[str] | None
    fifty_kibibytes: Path

    def entrants(self, case: Case) -> list[Entrant]:
        """Portico, and the peers that take part in a case."""
        application = replace(case.application, file=self.fifty_kibibytes)
        names = [name for name in case.servers if self.peers is None or name in self.peers]
        if "uwsgi" in names and not self.environment.has("uwsgi"):
            names.remove("uwsgi")
        peers = [
            Entrant(name, lambda name=name: python_peers.server(name, self.environment, application, self.folder))
            for name in names
        ]
        return [*self.portico(case), *peers]

    def portico(self, case: Case) -> list[Entrant]:
        """Portico alone; empty where only peers are asked for."""
        if self.binary is None:
            return []
        binary = self.binary
        application = replace(case.application, file=self.fifty_kibibytes)

        def start() -> Server:
            folder = self.folder / f"portico-{case.name}"
            return portico.python(binary, folder, self.environment, application, port=machine.free_port())

        return [Entrant("portico", start)]


def measure(setting, python: PythonSetting) -> list[Row]:
    """Everything that was asked for, for each interpreter in turn."""
    rows: list[Row] = []
    for interpreter in python.interpreters:
        environment = python_peers.environment(interpreter)
        folder = setting.folder / f"python-{environment.version}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "50KiB.bin"
        file.write_bytes(python_cases.CHUNK[: python_cases.FILE_SIZE])
        binary = setting.release.polls_binary() if setting.with_portico else None
        contestants = Contestants(folder, environment, binary, python.peers, file)
        suffix = f"Python {environment.version.rpartition('.')[0]}"
        rows += measure_one(setting, python, contestants, suffix)
    return rows


def measure_one(setting, python: PythonSetting, contestants: Contestants, suffix: str) -> list[Row]:
    rows: list[Row] = []
    cases = [case for case in python_cases.ALL if case.name in python.cases]
    for case in cases:
        rows += python_rates.contest(
            *(case, f"{case.subject}, {suffix}", contestants.entrants(case), contestants.folder),
            *(setting.rounds, setting.seconds, setting.cores),
        )
    if "latency" in python.cases:
        for case in python_cases.ALL:
            if case.name in {"wsgi-hello", "asgi-hello"}:
                rows += tails(setting, contestants, case, suffix)
    # Of Portico's own memory there is nothing to be said without Portico.
    if "growth" in python.cases and contestants.binary:
        rows += [growth(contestants, case, suffix, python.growth_requests, setting.cores) for case in python_cases.ALL]
    if "idle" in python.cases and contestants.binary:
        rows += idle(contestants, suffix, setting.cores)
    return rows


def tails(setting, contestants: Contestants, case: Case, suffix: str) -> list[Row]:
    entrants = contestants.entrants(case)
    ours = next((one for one in entrants if one.name == "portico"), None)
    rows: list[Row] = []
    for peer in entrants:
        if peer is not ours:
            subject = f"{case.subject}, {suffix}"
            rows += python_rates.tail(case, subject, ours, peer, setting.rounds, setting.seconds, setting.cores)
    return rows


def growth(contestants: Contestants, case: Case, suffix: str, requests: int, cores: Cores) -> Row:
    """How much the worker has grown by after many requests, once it has warmed up."""
    wanted = max(1000, int(requests * case.share))
    with python_rates.running(contestants.portico(case)[0], case, cores) as server:
        ask(case, server, max(1000, wanted // 10), cores)
        before = footprint.settled_mib(server.worker())
        ask(case, server, wanted, cores)
        after = footprint.settled_mib(server.worker())
    subject = f"{case.subject}, {suffix}: growth in {wanted:,} requests"
    print(f"{subject}: {before:.1f} to {after:.1f} MiB", flush=True)
    return Row(subject, "MiB", after - before, target=GROWTH)


def ask(case: Case, server: Server, requests: int, cores: Cores) -> None:
    if case.is_websocket:
        load_client.websocket(
            server.port, connections=case.connections, seconds=3600, core=cores.load, messages=requests
        )
    else:
        load_client.count(server.port, case.request(), requests, connections=case.connections, core=cores.load)


def idle(contestants: Contestants, suffix: str, cores: Cores) -> list[Row]:
    """What a worker that serves Starlette takes beyond a bare interpreter that has imported the same."""
    case = next(case for case in python_cases.ALL if case.name == "starlette")
    with python_rates.running(contestants.portico(case)[0], case, cores) as server:
        python_rates.answer(case, server)
        ours = footprint.settled_mib(server.worker())
    bare = Server(
        name="bare-python",
        command=[
            *[str(contestants.environment.python), "-c"],
            "import starlette_app, signal; print('ready', flush=True); signal.pause()",
        ],
        port=0,
        folder=contestants.folder,
        environment=python_peers.variables(case.application),
        ready_line=b"ready",
    )
    with machine.on_core(cores.load):
        alone = footprint.resident_when_ready(bare, cores.server)
    subject = f"idle worker with Starlette ({ours:.1f} MiB) beyond bare {suffix} ({alone:.1f} MiB)"
    return [Row(subject, "MiB", ours - alone, target=IDLE)]
