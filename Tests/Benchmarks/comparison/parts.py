"""The parts of the comparison, and the targets that each is held to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import fixtures, footprint, machine, peers, portico, python_parts
from .fixtures import Fixtures
from .machine import Cores
from .report import Row, Target
from .server import Server
from .throughput import Contest, Entrant, Expectation, running

IDLE_CONNECTIONS = 10_000
START_RUNS = 10
QUESTIONS_SHOWN = 5
QUESTION_LINK = rb'href="[^"]*/\d+/"'
VERSION = rb"\?v=[0-9a-f]+"
"""What Portico puts behind the address of a static file, so that browsers may keep it for long."""
GZIP = {"Accept-Encoding": "gzip"}


@dataclass(frozen=True)
class Setting:
    """What every part needs to know."""

    folder: Path
    fixtures: Fixtures
    cores: Cores
    release: portico.Release
    with_portico: bool
    rounds: int
    seconds: int
    python: python_parts.PythonSetting

    def nginx(self, name: str, *, connections: int = 1024) -> Server:
        folder = self.folder / name
        return peers.nginx(folder, self.fixtures, port=machine.free_port(), connections=connections)

    def hello_app(self, name: str) -> list[Server]:
        """Portico with the site `hello`; empty where only peers are asked for."""
        if not self.with_portico:
            return []
        return [portico.hello(self.release, self.folder / name, self.fixtures, port=machine.free_port())]

    def polls_app(self, name: str, *, connections: int = 1024) -> list[Server]:
        """Portico with polls; empty where only peers are asked for."""
        if not self.with_portico:
            return []
        folder = self.folder / name
        return [portico.polls(self.release, folder, port=machine.free_port(), connections=connections)]

    def measure(self, servers: list[Server], contests: list[Contest]) -> list[Row]:
        """Runs the contests while the servers run."""
        rows: list[Row] = []
        with running(servers, self.cores.server):
            for contest in contests:
                contest.check()
            for contest in contests:
                rows += contest.run(rounds=self.rounds, seconds=self.seconds, cores=self.cores)
        return rows


def at_least(bound: float) -> Target:
    return Target(bound, at_least=True, is_ratio=True)


def at_most(bound: float) -> Target:
    return Target(bound, at_least=False, is_ratio=False)


def first(servers: list[Server], path: str) -> Entrant | None:
    return Entrant(servers[0], path) if servers else None


def hello(setting: Setting) -> list[Row]:
    """A site's 13-byte answer through the gateway."""
    ours = setting.hello_app("hello")
    nginx = setting.nginx("hello-nginx")
    hummingbird = peers.hummingbird(
        setting.folder / "hello-hummingbird", port=machine.free_port(), build=setting.release.build
    )
    contest = Contest(
        "hello, 13 bytes from a site",
        portico=first(ours, "/"),
        peers=[
            Entrant(nginx, "/", at_least(0.95), "nginx `return 200`"),
            Entrant(hummingbird, "/", at_least(2.5), "Hummingbird"),
        ],
        expectation=Expectation("text/plain", body=fixtures.HELLO),
    )
    waiting = Contest(
        "hello, from an `async` view",
        portico=first(ours, "/waiting"),
        peers=[Entrant(nginx, "/", label="nginx `return 200`")],
        expectation=Expectation("text/plain", body=fixtures.HELLO),
    )
    return setting.measure([*ours, nginx, hummingbird], [contest, waiting])


def static(setting: Setting) -> list[Row]:
    """Files as they lie on the disk."""
    ours = setting.hello_app("static")
    nginx = setting.nginx("static-nginx")

    def contest(subject: str, file: Path, content_type: str, bound: float) -> Contest:
        path = f"/static/{file.name}"
        peer = Entrant(nginx, path, at_least(bound), "nginx")
        return Contest(subject, first(ours, path), [peer], Expectation(content_type, body=file.read_bytes()))

    contests = [
        contest("static file, 1 KiB", setting.fixtures.small, "text/plain", 1.1),
        contest("static file, 1 MiB", setting.fixtures.large, "application/octet-stream", 0.95),
    ]
    return setting.measure([*ours, nginx], contests)


def gzipped(setting: Setting) -> list[Row]:
    """Bodies that are compressed on the way out."""
    ours = setting.hello_app("gzip")
    nginx = setting.nginx("gzip-nginx")
    document, text = setting.fixtures.document, setting.fixtures.text

    def contest(subject: str, our_path: str, file: Path, content_type: str, bound: float) -> Contest:
        peer = Entrant(nginx, f"/static/{file.name}", at_least(bound), "nginx, same level")
        expectation = Expectation(content_type, body=file.read_bytes(), gzipped=True)
        return Contest(subject, first(ours, our_path), [peer], expectation, GZIP)

    contests = [
        contest("gzip, 20 KiB of JSON from a site", "/document", document, "application/json", 1.0),
        contest("gzip, static text, 20 KiB", f"/static/{text.name}", text, "text/plain", 5),
    ]
    return setting.measure([*ours, nginx], contests)


def polls(setting: Setting) -> list[Row]:
    """The index page of polls: a query and a template."""
    ours = setting.polls_app("polls")
    django = peers.django(setting.folder / "polls-django", port=machine.free_port())
    contest = Contest(
        "polls index, query and template",
        portico=first(ours, "/"),
        peers=[Entrant(django, "/", at_least(12), "Django, one gunicorn sync worker")],
        expectation=Expectation("text/html", patterns={QUESTION_LINK: QUESTIONS_SHOWN}, same_without=VERSION),
    )
    return setting.measure([*ours, django], [contest])


def memory(setting: Setting) -> list[Row]:
    """Resident memory of an idle worker, and what idle connections add to it."""
    room = IDLE_CONNECTIONS + 1024
    ours = setting.polls_app("memory", connections=room)
    nginx = setting.nginx("memory-nginx", connections=room)
    seen: dict[str, tuple[float, float]] = {}
    for server in [*ours, nginx]:
        with machine.on_core(setting.cores.load), running([server], setting.cores.server):
            seen[server.name] = footprint.idle_and_connected(server, IDLE_CONNECTIONS)
    idle, connected = seen[ours[0].name] if ours else (None, None)
    peer_idle, peer_connected = seen[nginx.name]
    return [
        Row("idle worker serving polls, resident", "MiB", idle, "nginx", peer_idle, at_most(30)),
        Row("10 000 idle keep-alive connections, more", "MiB", connected, "nginx", peer_connected, at_most(60)),
    ]


def start(setting: Setting) -> list[Row]:
    """From exec to ready, with the database already there."""
    nginx = setting.nginx("start-nginx")
    ours = setting.polls_app("start")
    ready = answered = None
    with machine.on_core(setting.cores.load):
        _, peer_answered = footprint.start_times_ms(nginx, setting.cores.server, START_RUNS)
        for server in ours:
            with running([server], setting.cores.server):
                pass  # The first start creates the database.
            ready, answered = footprint.start_times_ms(server, setting.cores.server, START_RUNS)
    return [
        Row("exec to ready, polls", "ms", ready, target=at_most(150)),
        Row("exec to first answer", "ms", answered, "nginx", peer_answered),
    ]


def python(setting: Setting) -> list[Row]:
    """Python applications through WSGI and ASGI."""
    return python_parts.measure(setting, setting.python)


PARTS: dict[str, Callable[[Setting], list[Row]]] = {
    "hello": hello,
    "static": static,
    "gzip": gzipped,
    "polls": polls,
    "memory": memory,
    "start": start,
    "python": python,
}
