"""Servers of Python applications, each with one worker, as their own documentation starts them for production."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .machine import BENCHMARKS, ComparisonError
from .server import Server

APPLICATIONS = BENCHMARKS / "python-apps"
PACKAGES = [
    *["granian==2.8.7", "uvicorn[standard]==0.54.0", "gunicorn==27.0.1", "fastpysgi==0.6", "hypercorn==0.18.0"],
    *["uvloop==0.23.0", "httptools==0.9.0", "websockets==17.4"],
    *["flask==3.1.3", "starlette==1.10.0", "fastapi==0.165.0", "django==5.2.19"],
]
UWSGI = "uwsgi==2.0.31"
"""Has no wheels: it is compared with where it builds."""
WSGI = ["granian", "gunicorn", "fastpysgi", "uwsgi"]
ASGI = ["granian", "uvicorn", "gunicorn", "fastpysgi", "hypercorn"]
WEBSOCKET = ["granian", "uvicorn", "hypercorn"]


@dataclass(frozen=True)
class Environment:
    """A virtual environment with every peer and framework, kept between runs."""

    folder: Path
    version: str

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def has(self, program: str) -> bool:
        return (self.folder / "bin" / program).exists()


def environment(python: Path) -> Environment:
    """The environment of an interpreter; made on the first run."""
    version = machine.output([str(python), "-c", "import platform; print(platform.python_version())"])
    if not version:
        raise ComparisonError(f"{python} is no Python")
    digest = hashlib.sha256("\n".join([*PACKAGES, UWSGI]).encode()).hexdigest()[:12]
    made = Environment(machine.cache_folder() / f"python-{version}-{digest}", version)
    complete = made.folder / "complete"
    if not complete.exists():
        machine.run([str(python), "-m", "venv", "--clear", str(made.folder)])
        install = [str(made.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        machine.run([*install, *PACKAGES])
        try:
            machine.run([*install, UWSGI])
        except ComparisonError:
            print("uwsgi does not build here and is left out")
        complete.touch()
    return made


@dataclass(frozen=True)
class Application:
    """`module:callable` of `python-apps`, and how it is to be called."""

    target: str
    gateway: str
    threads: int = 1
    file: Path | None = None


def server(name: str, environment: Environment, application: Application, folder: Path) -> Server:
    """One of the peers with one worker, not started yet."""
    port = machine.free_port()
    return Server(
        name=name,
        command=command(name, environment, application, port),
        port=port,
        folder=folder,
        environment=variables(application),
    )


def variables(application: Application) -> dict[str, str]:
    """What the applications expect to find in the environment."""
    return {
        "PYTHONPATH": str(APPLICATIONS),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BENCHMARK_FILE": str(application.file or ""),
    }


def command(name: str, environment: Environment, application: Application, port: int) -> list[str]:
    target, threads = application.target, str(application.threads)
    run = [str(environment.python), "-m"]
    address = f"127.0.0.1:{port}"
    match name:
        case "granian":
            options = ["--blocking-threads", threads] if application.gateway == "wsgi" else []
            return [
                *[*run, "granian", "--interface", application.gateway, "--host", "127.0.0.1", "--port", str(port)],
                *["--workers", "1", "--http", "1", "--log-level", "error", *options, target],
            ]
        case "uvicorn":
            options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
            return [*run, "uvicorn", "--port", str(port), *options, target]
        case "gunicorn":
            kind = ["gthread", "--threads", threads] if application.gateway == "wsgi" else ["asgi"]
            options = ["--workers", "1", "--keep-alive", "75", "--no-control-socket", "--log-level", "error"]
            return [*run, "gunicorn", "--bind", address, "--worker-class", *kind, *options, target]
        case "fastpysgi":
            return [str(environment.python), str(APPLICATIONS / "serve_fastpysgi.py"), target, str(port)]
        case "hypercorn":
            return [*run, "hypercorn", "--bind", address, "--worker-class", "uvloop", "--workers", "1", target]
        case "uwsgi":
            module, _, function = target.partition(":")
            return [
                *[str(environment.folder / "bin" / "uwsgi"), "--http11-socket", address, "--virtualenv"],
                *[str(environment.folder), "--pythonpath", str(APPLICATIONS), "--module", module, "--callable"],
                *[function, "--processes", "1", "--threads", threads, "--listen", "128", "--disable-logging"],
            ]
        case _:
            raise ComparisonError(f"no peer is called {name}")


def versions() -> dict[str, str]:
    """What is compared with, for the head of a report."""
    pairs = (package.split("==") for package in [*PACKAGES, UWSGI])
    return {name.partition("[")[0]: version for name, version in pairs}
