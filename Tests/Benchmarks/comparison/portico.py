"""Portico under measurement: release builds, and one worker behind an `app.yaml` of our own."""

from dataclasses import dataclass
from pathlib import Path

from . import machine, python_peers
from .fixtures import GZIP_LEVEL, Fixtures
from .machine import BENCHMARKS, CHECKOUT, ComparisonError
from .python_peers import Application, Environment
from .server import Server

HELLO_SITE = BENCHMARKS / "HelloSite"
SWIFT_FLAGS = "--static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked"


@dataclass(frozen=True)
class Release:
    """How the release binaries are made, or where they already are."""

    flags: list[str]
    build: bool
    app: Path | None = None
    hello_app: Path | None = None

    def polls_binary(self) -> Path:
        """The project's own executable, which carries polls."""
        return self.app or self.product("app", CHECKOUT)

    def hello_binary(self) -> Path:
        """The whole platform with the site `hello` in it."""
        return self.hello_app or self.product("hello-app", HELLO_SITE)

    def product(self, name: str, package: Path) -> Path:
        arguments = ["--package-path", str(package), "-c", "release", *self.flags]
        if self.build:
            machine.run(["swift", "build", *arguments, "--product", name])
        binary = Path(machine.output(["swift", "build", *arguments, "--show-bin-path"])) / name
        if not binary.exists():
            raise ComparisonError(f"there is no {binary}: run without --no-build")
        return binary


def hello(release: Release, folder: Path, fixtures: Fixtures, *, port: int) -> Server:
    """One worker with the site `hello`, and the fixtures as static files."""
    sites = "hello: {swift: hello, gateway: asgi}"
    routes = [f"{{path: /static/, files: {fixtures.root}}}", "{path: /, site: hello}"]
    server = serve(release.hello_binary(), folder, port=port, sites=sites, routes=routes, connections=1024)
    server.environment["HELLO_DOCUMENT"] = str(fixtures.document)
    return server


def polls(release: Release, folder: Path, *, port: int, connections: int = 1024) -> Server:
    """One worker that serves polls from a database of its own."""
    sites = f"polls: {{swift: polls, gateway: asgi, database: {folder}/polls.sqlite3}}"
    binary = release.polls_binary()
    return serve(binary, folder, port=port, sites=sites, routes=["{path: /, site: polls}"], connections=connections)


def python(binary: Path, folder: Path, environment: Environment, application: Application, *, port: int) -> Server:
    """One worker with a Python application; with one thread, a WSGI application is called on the event loop."""
    options = [
        f'python: "{application.target}"',
        f"gateway: {application.gateway}",
        f"directory: {python_peers.APPLICATIONS}",
        f"virtualenv: {environment.folder}",
    ]
    sites = f"site: {{{', '.join(options)}}}"
    routes = ["{path: /, site: site}"]
    threads = application.threads
    server = serve(binary, folder, port=port, sites=sites, routes=routes, connections=1024, threads=threads)
    server.environment.update(python_peers.variables(application))
    return server


def serve(
    binary: Path, folder: Path, *, port: int, sites: str, routes: list[str], connections: int, threads: int = 4
) -> Server:
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "app.yaml"
    lines = [
        "base:",
        f"  listen: 127.0.0.1:{port}",
        "  secret-key: a-key-of-a-benchmark-that-protects-nothing-0123456789abcdef",
        f"  workers: {{mode: process, count: 1, threads: {threads}}}",
        f"  gzip: {{level: {GZIP_LEVEL}}}",
        f"  limits: {{connections: {connections}}}",
        "  timeouts: {keep-alive: 10m}",
        "  log: {level: warning, access: false}",
        "  sites:",
        f"    {sites}",
        "  routes:",
        *[f"    - {route}" for route in routes],
    ]
    configuration.write_text("\n".join(lines) + "\n")
    return Server(
        name=f"portico-{folder.name}",
        command=[str(binary), "serve", "--config", str(configuration)],
        port=port,
        folder=folder,
        ready_line=b"listening on",
    )


def version() -> str:
    """The commit that is measured, marked where the checkout differs from it."""
    return machine.output(["git", "describe", "--always", "--dirty"], cwd=CHECKOUT) or "unknown"
