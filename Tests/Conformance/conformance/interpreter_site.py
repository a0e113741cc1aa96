"""A WSGI application that tells of the interpreter it runs in, and uses what interpreters have."""

import atexit
import io
import json
import logging
import multiprocessing
import os
import queue
import signal
import site
import subprocess
import sys
import sysconfig
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

MAIN_AT_IMPORT = threading.current_thread() is threading.main_thread()
signals_seen: list[int] = []


def on_signal(number, frame):
    signals_seen.append(number)


# What applications and libraries do when they are imported; nothing of it may fail, nor break the server. Where it is
# asked for only: a process that multiprocessing starts would not end by TERM either.
if "CONFORMANCE_SIGNALS" in os.environ:
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGALRM, on_signal)
atexit.register(lambda: print("farewell from atexit", flush=True))


def identity() -> dict:
    """What must be as in the interpreter itself."""
    names = ["executable", "prefix", "base_prefix", "exec_prefix", "base_exec_prefix", "platlibdir", "version"]
    flags = ["optimize", "utf8_mode", "no_user_site", "hash_randomization", "dev_mode", "isolated", "no_site"]
    return {
        **{name: getattr(sys, name) for name in names},
        "flags": {name: getattr(sys.flags, name) for name in flags},
        "warnings": sys.warnoptions,
        "path": [entry for entry in sys.path if os.path.realpath(entry) != os.getcwd()],
        "site": [site.getsitepackages(), site.ENABLE_USER_SITE],
        "schemes": sysconfig.get_paths(),
        "encodings": [sys.getfilesystemencoding(), sys.getfilesystemencodeerrors(), sys.getdefaultencoding()],
        "hash": hash("portico") if os.environ.get("PYTHONHASHSEED", "random") != "random" else None,
        "builtins": sorted(name for name in sys.builtin_module_names if name != "_portico"),
        "hooks": [name for name in sys.modules if name in ("sitecustomize", "usercustomize", "conformance_pth")],
        "bytecode": [sys.dont_write_bytecode, sys.pycache_prefix],
        "integers": sys.get_int_max_str_digits() if hasattr(sys, "get_int_max_str_digits") else None,
    }


def square(number: int) -> int:
    return number * number


def use_processes(method: str) -> list:
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        squares = pool.map(square, range(5))
    results = context.Queue()
    process = context.Process(target=put_square, args=(results, 7))
    process.start()
    last = results.get(timeout=30)
    process.join(30)
    return [squares, last, process.exitcode]


def use_fork() -> list:
    """Without a pool or a queue: their threads and a fork beside them are a matter of luck under any server."""
    context = multiprocessing.get_context("fork")
    squares = []
    for number in range(5):
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=send_square, args=(sending, number))
        process.start()
        squares.append(receiving.recv() if receiving.poll(30) else None)
        process.join(30)
    return [squares, process.exitcode]


def send_square(sending, number: int) -> None:
    sending.send(square(number))


def put_square(results, number: int) -> None:
    results.put(square(number))


def use_child(token: str) -> int:
    """A child that prints, and ends as children of fork do."""
    process = multiprocessing.get_context("fork").Process(target=say, args=(token,))
    process.start()
    process.join(30)
    return process.exitcode


def say(token: str) -> None:
    print(f"printed in a child {token}")
    print(f"an error in a child {token}", file=sys.stderr)


def use_executors() -> list:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        squares = list(processes.map(square, range(3)))
    with ThreadPoolExecutor(4) as threads:
        return [squares, list(threads.map(square, range(3)))]


def use_subprocess() -> list:
    code = "import sys, json; print(sys.executable); print(sys.prefix)"
    own = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    failing = subprocess.run(["/bin/sh", "-c", "exit 7"], timeout=30)
    terminated = subprocess.Popen(["sleep", "60"])
    terminated.terminate()
    return [own.returncode, own.stdout.split(), failing.returncode, terminated.wait(30)]


def use_threads() -> list:
    results = queue.Queue()
    event = threading.Event()

    def work(number):
        event.wait(30)
        results.put(square(number))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for worker in workers:
        worker.start()
    event.set()
    for worker in workers:
        worker.join(30)
    local = threading.local()
    local.value = 1
    timer = threading.Timer(0.01, lambda: results.put("timer"))
    timer.start()
    timer.join(30)
    return sorted(str(results.get()) for _ in range(6))


def use_signals() -> list:
    """An alarm, which is the application's own; the server's signals are tried by the check."""
    return [signals_seen, signal.getsignal(signal.SIGTERM) is on_signal, MAIN_AT_IMPORT]


def use_logs(token: str) -> str:
    print(f"printed {token}")
    print(f"printed to stderr {token}", file=sys.stderr)
    sys.stdout.write(f"in parts {token} ")
    sys.stdout.write("one line\n")
    logging.getLogger("conformance").warning("logged %s", token)
    logging.getLogger("conformance").error("with traceback %s", token, exc_info=ValueError(f"shown {token}"))
    warnings.warn(f"warned {token}", RuntimeWarning, stacklevel=1)
    os.write(1, f"written to 1 {token}\n".encode())
    os.write(2, f"written to 2 {token}\n".encode())
    print(f"snowman \N{SNOWMAN} {token}")
    return "said"


def use_streams() -> list:
    """What libraries expect of the standard streams."""
    return [
        isinstance(sys.stdout, io.TextIOBase), sys.stdout.encoding.lower(), sys.stderr.encoding.lower(),
        sys.stdin is not None and sys.stdin.read(), sys.stdout.isatty(), sys.stdout.writable(),
        bool(sys.stdout.buffer) if hasattr(sys.stdout, "buffer") else False, sys.__stdout__ is not None,
    ]  # fmt: skip


USES = {
    "identity": identity,
    "fork": use_fork,
    "spawn": lambda: use_processes("spawn"),
    "forkserver": lambda: use_processes("forkserver"),
    "executors": use_executors,
    "subprocess": use_subprocess,
    "threads": use_threads,
    "signals": use_signals,
    "streams": use_streams,
    "main": lambda: [sys.argv, sys.modules["__main__"].__name__, os.getcwd()],
    "clock": lambda: time.thread_time() >= 0,
}


def application(environ, start_response):
    name, _, token = environ["PATH_INFO"].strip("/").partition("/")
    start_response("200 OK", [("Content-Type", "application/json")])
    with_token = {"logs": use_logs, "child": use_child}
    value = with_token[name](token) if name in with_token else USES[name]()
    return [json.dumps(value).encode()]


if __name__ == "__main__":
    # Run as a script, it is its own yardstick.
    json.dump(identity(), sys.stdout)
