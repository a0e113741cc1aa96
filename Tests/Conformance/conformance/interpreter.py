"""The interpreter that an application finds itself in: the real one, with all that it has."""

import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from .servers import ROOT, Server, StartError
from .suite import Checklist, containing, expect, one_of, require

APPLICATION = "conformance.interpreter_site:application"
INTERPRETER = Checklist(
    "interpreter",
    ["identity", "virtualenv", "variables", "processes", "threads", "subprocess", "signals", "log", "exit", "streams"],
)
check = INTERPRETER.check


def yardstick(python: str, **environment: str) -> dict:
    """What the interpreter itself says when it is started as a program."""
    result = subprocess.run(
        [python, "-m", "conformance.interpreter_site"],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(result.stdout.split("farewell")[0])


def expect_identity(server: Server, expected: dict) -> None:
    got = server.get("/identity").json()
    for key, value in expected.items():
        expect(key, value, got.get(key))


@contextmanager
def virtual_environment(python: str):
    """A new one, with a package and a .pth file of its own."""
    with TemporaryDirectory(prefix="conformance-venv-") as folder:
        venv = Path(folder, "venv")
        subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True, timeout=120)
        packages = next(venv.glob("lib/python3*/site-packages"))
        extra = Path(folder, "extra")
        extra.mkdir()
        (packages / "conformance.pth").write_text(f"{extra}\nimport sys; sys.modules['conformance_pth'] = sys\n")
        yield venv


@check("identity", "sys, site and sysconfig say what they say in the interpreter itself")
def identity(server):
    environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    expect_identity(server, yardstick(server.kind.python, **environment))
    main = server.get("/main").json()
    expect("working directory", str(ROOT), main[2])
    expect("__main__ is there", "__main__", main[1])


@check("virtualenv", "a virtual environment is one: prefix, site-packages, .pth, however it is named", alone=True)
def virtualenv(server):
    with virtual_environment(server.kind.python) as venv:
        expected = yardstick(str(venv / "bin" / "python3"), PYTHONDONTWRITEBYTECODE="1")
        require("the yardstick's prefix", str(venv), expected["prefix"])
        require("the yardstick's .pth", containing("conformance_pth"), expected["hooks"])
        site = f"python: '{APPLICATION}', directory: '{{root}}'"
        for name, changes in {
            "$VIRTUAL_ENV": {"environment": (("VIRTUAL_ENV", str(venv)),)},
            "virtualenv:": {"configuration": configuration(f"{site}, virtualenv: '{venv}'")},
            "interpreter:": {"configuration": configuration(f"{site}, interpreter: '{venv}/bin/python3'")},
        }.items():
            try:
                with server.another(**changes) as other:
                    got = other.get("/identity").json()
            except StartError as error:
                expect(name, "a start", str(error))
                continue
            for key, value in expected.items():
                expect(f"{name}: {key}", value, got.get(key))


def configuration(site: str) -> str:
    return f"base:\n  sites: {{one: {{{site}}}}}\n  routes: [{{path: /, site: one}}]\n"


@check("variables", "PYTHON* variables are honoured", alone=True)
def variables(server):
    with TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text("")
        for environment in [
            {"PYTHONPATH": folder},
            {"PYTHONHASHSEED": "42"},
            {"PYTHONOPTIMIZE": "2"},
            {"PYTHONUTF8": "1", "LC_ALL": "C"},
            {"PYTHONWARNINGS": "error::DeprecationWarning"},
            {"PYTHONNOUSERSITE": "1", "PYTHONPYCACHEPREFIX": folder},
        ]:
            with server.another(environment=tuple(environment.items())) as other:
                got = other.get("/identity").json()
            for key, value in yardstick(server.kind.python, PYTHONDONTWRITEBYTECODE="1", **environment).items():
                expect(f"{environment}: {key}", value, got.get(key))


SQUARES = [[0, 1, 4, 9, 16], 49, 0]
AFTER_FORK = one_of(0, 1)
"""CPython 3.11 says 1 of a process that was forked by another thread than the main one, whatever came of it."""


@check("processes", "multiprocessing by fork, spawn and forkserver")
def processes(server):
    for _ in range(2):
        squares, status = server.get("/fork").json()
        expect("fork", SQUARES[0], squares)
        expect("exit status after fork", AFTER_FORK, status)
    for method in ["spawn", "forkserver"]:
        expect(method, SQUARES, server.get(f"/{method}").json())
    expect("executors", [[0, 1, 4], [0, 1, 4]], server.get("/executors").json())


@check("processes", "what a forked child prints reaches the log")
def printing_child(server):
    token = server.token()
    expect("its exit status", AFTER_FORK, server.get(f"/child/{token}").json())
    for line in [f"printed in a child {token}", f"an error in a child {token}"]:
        server.await_log(line)


@check("threads", "threads, events, queues and timers")
def threads(server):
    expect("results", ["0", "1", "16", "4", "9", "timer"], server.get("/threads").json())


@check("subprocess", "subprocess, with sys.executable and with signals")
def subprocesses(server):
    got = server.get("/subprocess").json()
    expect("its own interpreter", 0, got[0])
    expect("executable and prefix", [yardstick(server.kind.python)[key] for key in ("executable", "prefix")], got[1])
    expect("exit status", 7, got[2])
    expect("terminated by", -15, got[3])


@check("signals", "handlers of the application neither stop the import nor the draining", alone=True)
def signals(server):
    with server.another(environment=(("CONFORMANCE_SIGNALS", "1"),)) as other:
        got = other.get("/signals").json()
        expect("signal.getsignal returns what was set", True, got[1])
        expect("imported on the main thread", True, got[2])
        status = other.stop()
        expect("exit status after TERM", 0, status)


@check("log", "print, logging, warnings and the descriptors 1 and 2 reach the log")
def logs(server):
    token = server.token()
    expect("answer", "said", server.get(f"/logs/{token}").json())
    for line in [
        *[f"printed {token}", f"printed to stderr {token}", f"in parts {token} one line", f"logged {token}"],
        *[f"with traceback {token}", f"ValueError: shown {token}", f"RuntimeWarning: warned {token}"],
        *[f"written to 1 {token}", f"written to 2 {token}", f"snowman \N{SNOWMAN} {token}"],
    ]:
        server.await_log(line)


@check("streams", "the standard streams are as libraries expect them")
def streams(server):
    expect(
        "TextIOBase, encodings, stdin at its end, isatty, writable, buffer, sys.__stdout__",
        [True, "utf-8", "utf-8", "", False, True, True, True],
        server.get("/streams").json(),
    )


@check("exit", "atexit handlers run at the end, once in each worker", alone=True)
def at_exit(server):
    with server.another() as other:
        other.get("/threads")
        expect("exit status", 0, other.stop())
        expect("how often", 1, other.log().count("farewell from atexit"))
