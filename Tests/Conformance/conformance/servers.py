"""How Portico and each of its peers are started, and what a check may ask of a running one."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from .suite import eventually
from .wire import Connection, NoResponse, Response

ROOT = Path(__file__).resolve().parent.parent
"""Where the package of the applications is."""
START_LIMIT = 60.0
STOP_LIMIT = 60.0
_tokens = count(1)


class StartError(Exception):
    """The server ended instead of serving; the message is what it said."""


@dataclass(frozen=True)
class Setup:
    """What a server is asked for."""

    application: str
    gateway: str
    """`wsgi` or `asgi`."""
    mode: str = "process"
    workers: int = 1
    threads: int = 8
    settings: tuple[str, ...] = ()
    """Of Portico only: `key=value`, as `--set` takes them."""
    configuration: str = ""
    """Of Portico only: an `app.yaml` in place of the application."""
    environment: tuple[tuple[str, str], ...] = ()
    listen: str = "127.0.0.1:0"
    """Of Portico only."""
    directory: str = ""
    """Where the application is, below this package's own folder."""


@dataclass(frozen=True)
class Kind:
    """A server program."""

    name: str
    python: str = sys.executable
    """The interpreter that has it, or that it is to use."""
    program: str = ""
    """Portico's binary."""

    def command(self, setup: Setup, port: int) -> list[str]:
        return COMMANDS[self.name](self, setup, port)


def portico(kind: Kind, setup: Setup, port: int) -> list[str]:
    target = [] if setup.configuration else [setup.application]
    settings = [part for setting in setup.settings for part in ("--set", setting)]
    return [
        *[kind.program, "serve", *target, "--listen", setup.listen, "--mode", setup.mode],
        *["--workers", str(setup.workers), "--threads", str(setup.threads), *settings],
    ]


def gunicorn(kind: Kind, setup: Setup, port: int) -> list[str]:
    threads = ["gthread", "--threads", str(setup.threads)] if setup.threads > 1 else ["sync"]
    worker = threads if setup.gateway == "wsgi" else ["asgi"]
    return [
        *[kind.python, "-m", "gunicorn", setup.application, "-b", f"127.0.0.1:{port}", "-k", *worker],
        *["-w", str(setup.workers), "--no-control-socket", "--graceful-timeout", "5"],
    ]


def uvicorn(kind: Kind, setup: Setup, port: int) -> list[str]:
    return [
        *[kind.python, "-m", "uvicorn", setup.application, "--port", str(port), "--workers", str(setup.workers)],
        *["--no-access-log", "--timeout-graceful-shutdown", "5"],
    ]


def granian(kind: Kind, setup: Setup, port: int) -> list[str]:
    threads = ["--blocking-threads", str(setup.threads)] if setup.gateway == "wsgi" else []
    return [
        *[kind.python, "-m", "granian", setup.application, "--interface", setup.gateway, "--port", str(port)],
        *["--workers", str(setup.workers), "--workers-kill-timeout", "5", *threads],
    ]


def hypercorn(kind: Kind, setup: Setup, port: int) -> list[str]:
    application = f"{setup.gateway}:{setup.application}"
    return [
        *[kind.python, "-m", "hypercorn", application, "-b", f"127.0.0.1:{port}", "-w", str(setup.workers)],
        *["--error-logfile", "-"],
    ]


def fastpysgi(kind: Kind, setup: Setup, port: int) -> list[str]:
    script = (
        "import fastpysgi, importlib, sys; name, attribute = sys.argv[1].split(':'); fastpysgi.run("
        "getattr(importlib.import_module(name), attribute), host='127.0.0.1', port=int(sys.argv[2]), loglevel=0)"
    )
    return [kind.python, "-c", script, setup.application, str(port)]


COMMANDS = {
    "portico": portico,
    "gunicorn": gunicorn,
    "uvicorn": uvicorn,
    "granian": granian,
    "hypercorn": hypercorn,
    "fastpysgi": fastpysgi,
}


@dataclass
class Server:
    """A server that runs, as a check sees it; a context manager."""

    kind: Kind
    setup: Setup
    prefix: str = ""
    """What comes before each path: the variant of the application."""
    address: tuple[str, int] | str = ("127.0.0.1", 0)
    process: subprocess.Popen | None = None
    folder: tempfile.TemporaryDirectory | None = None
    extra: dict = field(default_factory=dict)

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_portico(self) -> bool:
        return self.kind.name == "portico"

    @property
    def is_asgi(self) -> bool:
        return self.setup.gateway == "asgi"

    def launch(self) -> None:
        """Starts the process, and waits for nothing."""
        self.folder = tempfile.TemporaryDirectory(prefix="conformance-")
        folder = Path(self.folder.name)
        port = 0 if self.is_portico else free_port()
        self.address = ("127.0.0.1", port)
        command = self.kind.command(self.setup, port)
        if self.setup.configuration:
            (folder / "app.yaml").write_text(self.setup.configuration.replace("{root}", str(ROOT)))
            command += ["--config", str(folder / "app.yaml")]
        with open(folder / "output", "wb") as output, open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT / self.setup.directory,
                stdin=subprocess.DEVNULL,
                stdout=output if self.is_portico else log,
                stderr=log,
                env=self.environment(),
                start_new_session=True,
            )

    def environment(self) -> dict[str, str]:
        """Portico's interpreter is found as a user's would be: by the virtual environment that is active."""
        own = {"PYTHONDONTWRITEBYTECODE": "1", "CONFORMANCE_OF_THE_PROCESS": "1", "SWIFT_BACKTRACE": "enable=no"}
        own.update(self.setup.environment)
        home = Path(self.kind.python).parent.parent
        if self.is_portico and (home / "pyvenv.cfg").exists():
            own["VIRTUAL_ENV"] = str(home)
        if self.is_portico:
            own["PATH"] = os.pathsep.join([str(Path(self.kind.python).parent), "/usr/local/bin:/usr/bin:/bin"])
        return {**os.environ, **own}

    def start(self) -> None:
        """Starts it, and returns when it takes connections."""
        self.launch()
        deadline = time.monotonic() + START_LIMIT
        while not self.is_listening():
            if self.process.poll() is not None:
                raise StartError(f"{self.kind.name} ended with status {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                said = self.log()
                self.kill()
                raise StartError(f"{self.kind.name} did not start within {START_LIMIT:.0f} s:\n{said}")
            time.sleep(0.01)

    def ensure_running(self) -> None:
        """Starts it, where it is not running or takes no connections (any more)."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.connect().close()
                return
            except OSError:
                self.kill()
        self.start()

    def is_listening(self) -> bool:
        if not self.is_portico:
            try:
                socket.create_connection(self.address, 1).close()
            except OSError:
                return False
            return True
        for line in self.output().splitlines():
            if line.startswith("listening on unix:"):
                self.address = line.removeprefix("listening on unix:")
                return True
            if line.startswith("listening on http://"):
                self.address = ("127.0.0.1", int(line.rsplit(":", 1)[1]))
                return True
        return False

    def stop(self) -> int | None:
        """TERM, and the exit status; a server that does not stop is killed."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            status = None
        self.kill()
        return status

    def kill(self) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def read(self, name: str) -> str:
        return Path(self.folder.name, name).read_text(errors="replace")

    def output(self) -> str:
        return self.read("output") if self.is_portico else ""

    def log(self) -> str:
        """Everything it has logged."""
        return self.read("log") + self.output()

    def another(self, **changes: object) -> "Server":
        """A server like this one but for `changes`, not yet started."""
        return Server(self.kind, replace(self.setup, **changes))

    def workers(self) -> list[int]:
        """The processes that serve."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children] or [pid]

    # What checks do most.

    def connect(self, **options: object) -> Connection:
        return Connection(self.address, **options)

    def path(self, name: str) -> str:
        return self.prefix + name

    def ask(
        self, method: str, path: str, *fields: str, body: bytes | None = None, version: str = "1.1"
    ) -> Response:
        """One request on a connection of its own, and the (first final) response."""
        with self.connect() as connection:
            connection.request(method, self.path(path), *fields, body=body, version=version)
            response = connection.response(to=method)
            while response.status < 200 and response.status != 101:
                response = connection.response(to=method)
            return response

    def get(self, path: str, *fields: str, **options: object) -> Response:
        return self.ask("GET", path, *fields, **options)

    def post(self, path: str, body: bytes, *fields: str, **options: object) -> Response:
        return self.ask("POST", path, *fields, body=body, **options)

    def token(self) -> str:
        """A word that nobody has used with this server."""
        return f"token{os.getpid()}n{next(_tokens)}e"

    def events(self, token: str) -> list:
        """What the application has recorded under `token`."""
        with self.connect() as connection:
            connection.request("GET", f"/events/{token}")
            return connection.response().json()

    def await_event(self, token: str, event: object) -> list:
        """Waits until the application has recorded `event`."""
        return eventually(
            f"the application records {event!r}",
            lambda: (events := self.events(token)) and (events if event in events else None),
        )

    def open(self, token: str) -> None:
        """Lets the application go on that waits at the gate of `token`."""
        with self.connect() as connection:
            connection.request("GET", f"/open/{token}")
            connection.response()

    def is_answering(self) -> bool:
        try:
            with self.connect() as connection:
                connection.request("GET", "/hello")
                return connection.response().status == 200
        except (OSError, NoResponse):
            return False

    def await_log(self, text: str) -> str:
        return eventually(f"the log says {text!r}", lambda: log if text in (log := self.log()) else "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def query(value: str) -> str:
    return quote(value, safe="")
