"""WSGI applications that fail in every other way: what the client, the log and the other requests get."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from .servers import Server
from .suite import Checklist, containing, eventually, expect, require
from .wire import NoResponse, NotHTTP
from .wsgi_site import TEXT, path, record, report, text, token_of, wait

FAULTS = Checklist(
    "wsgi-faults",
    ["exit", "crash", "recursion", "hang", "result", "exception", "close", "environ", "fork", "threads", "large"],
)
check = FAULTS.check


@path
def process(environ, start_response):
    return report(start_response, os.getpid())


class Unspeakable(Exception):
    """Has no text at all."""

    def __str__(self):
        raise ValueError("cannot even say what is wrong")


RAISED = {
    "SystemExit": lambda: sys.exit(3),
    "KeyboardInterrupt": lambda: exec("raise KeyboardInterrupt"),
    "GeneratorExit": lambda: exec("raise GeneratorExit"),
    "BaseException": lambda: exec("raise BaseException('base')"),
    "MemoryError": lambda: exec("raise MemoryError"),
    "StopIteration": lambda: exec("raise StopIteration"),
    "Unspeakable": lambda: exec("raise Unspeakable", {"Unspeakable": Unspeakable}),
    "surrogates": lambda: exec("raise RuntimeError('\\udcff')"),
    "NUL": lambda: exec("raise RuntimeError('a\\0b')"),
    "huge": lambda: exec("raise RuntimeError('x' * 3_000_000)"),
    "SyntaxError": lambda: exec("this is not Python"),
}


@path
def raise_it(environ, start_response):
    """Raises one of the table, in the call, before the first chunk or after it."""
    kind, when = environ["QUERY_STRING"].split("-")
    if when == "call":
        RAISED[kind]()
    return raise_later(kind, when, start_response)


def raise_later(kind, when, start_response):
    start_response("200 OK", [TEXT])
    if when == "after":
        yield b"part"
    RAISED[kind]()


def expect_errors(server: Server, kinds: list[str]) -> None:
    """500 before the first byte, a visible cut after it, and the process goes on."""
    pid = server.get("/process").json()
    for kind in kinds:
        before = len(server.log())
        for when in ["call", "first", "after"]:
            if kind == "GeneratorExit" and when != "call" or kind == "StopIteration" and when != "call":
                continue  # The end of a generator, or a RuntimeError.
            try:
                response = server.get(f"/raise_it?{kind}-{when}")
            except (NoResponse, NotHTTP, ConnectionError) as error:
                expect(f"{kind} {when}", "a response", f"{type(error).__name__}: {error}")
                continue
            expected = (200, "part", False) if when == "after" else (500, True, True)
            got = (response.status, response.text if when == "after" else True, response.complete)
            expect(f"{kind} {when}", expected, got)
        eventually(f"{kind}: the log says something", lambda: len(server.log()) > before)
    expect("the process", pid, server.get("/process").json())


@check("exit", "sys.exit() and the like in a view are errors like others")
def exits(server):
    expect_errors(server, ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"])


@check("exception", "exceptions that cannot be shown, or are very long")
def strange_exceptions(server):
    expect_errors(server, ["MemoryError", "StopIteration", "Unspeakable", "surrogates", "NUL", "huge", "SyntaxError"])


def deepen(depth=0):
    return deepen(depth + 1)


class Nested:
    """Its representation recurses in C as well as in Python."""

    def __repr__(self):
        return repr([self])


@path
def recurse(environ, start_response):
    deepen() if environ["QUERY_STRING"] == "python" else repr(Nested())
    return text(start_response)


@check("recursion", "endless recursion is an error, not a crash")
def recursion(server):
    pid = server.get("/process").json()
    for kind in ["python", "repr"]:
        expect(kind, 500, server.get(f"/recurse?{kind}").status)
    server.await_log("RecursionError")
    expect("the process", pid, server.get("/process").json())


def overflow():
    """Deeper than any stack."""
    sys.setrecursionlimit(100_000_000)
    value = []
    for _ in range(1_000_000):
        value = [value]
    repr(value) if sys.version_info < (3, 12) else ctypes.string_at(0)


CRASHES = {
    "os._exit": lambda: os._exit(3),
    "segmentation fault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "stack overflow": overflow,
}


@path
def crash(environ, start_response):
    CRASHES[environ["QUERY_STRING"].replace("%20", " ")]()
    return text(start_response)


@check("crash", "a dead worker is replaced, and the log says how it died", needs=("portico", "processes"), alone=True)
def crashes(server):
    with server.another(workers=1) as other:
        for kind in CRASHES:
            pid = other.get("/process").json()
            before = len(other.log())
            try:
                response = other.get(f"/crash?{kind.replace(' ', '%20')}")
                expect(f"{kind}: what the client sees", "the connection's end", (response.status, response.text))
            except (NoResponse, NotHTTP, ConnectionError):
                pass
            eventually(f"{kind}: it answers again", other.is_answering)
            expect(f"{kind}: another process", True, other.get("/process").json() != pid)
            said = [line for line in other.log()[before:].splitlines() if f"pid {pid}" in line and "ended" in line]
            expect(f"{kind}: lines of the log about it", 1, len(said))
            expect(f"{kind}: how", containing("exit status 3" if kind == "os._exit" else "SIG"), "".join(said))
        expect("the supervisor", None, other.process.poll())


@check("crash", "the other worker answers meanwhile", needs=("portico", "processes"), alone=True)
def other_worker(server):
    with server.another(workers=2) as other:
        with other.connect() as connection:
            connection.request("GET", "/process")
            pid = connection.response().json()
            killed = 0
            while killed < 3:
                try:
                    other.get("/crash?os._exit")
                except (NoResponse, ConnectionError):
                    killed += 1
                eventually("somebody answers", other.is_answering)
            try:
                connection.request("GET", "/process")
                expect("an idle connection of a worker that lived", pid, connection.response().json())
            except (NoResponse, ConnectionError):
                pass  # It was this one's worker that died.


@path
def hang(environ, start_response):
    record(environ, "hanging")
    wait(environ)
    return text(start_response, "released")


@check("hang", "requests that hang leave the other threads to others")
def hanging(server):
    tokens = [server.token() for _ in range(server.setup.threads - 2)]
    connections = [server.connect() for _ in tokens]
    for token, connection in zip(tokens, connections):
        connection.request("GET", f"/hang/{token}")
    for token in tokens:
        server.await_event(token, "hanging")
    for _ in range(20):
        expect("others are answered", "hello", server.get("/hello").text)
    for token in tokens:
        server.open(token)
    for connection in connections:
        expect("at last", "released", connection.response().text)
        connection.close()


@check("hang", "health checks are answered when every thread hangs", needs=("portico",), alone=True)
def all_hanging(server):
    with server.another(threads=2, workers=1) as other, TemporaryDirectory() as folder:
        file = Path(folder, "go")
        connections = [other.connect() for _ in range(2)]
        try:
            for connection in connections:
                connection.request("GET", f"/exclusive?{file}")
            for connection in connections:
                connection.head()
            expect("/livez", 200, other.get("/livez").status)
        finally:
            file.touch()
            for connection in connections:
                connection.close()


RESULTS = {
    "None": lambda: None,
    "number": lambda: 5,
    "object": object,
    "text": lambda: "text",
    "a class": lambda: int,
    "an exception": lambda: ValueError("returned"),
}


@path
def result(environ, start_response):
    if "unstarted" not in environ["QUERY_STRING"]:
        start_response("200 OK", [TEXT])
    return RESULTS[environ["QUERY_STRING"].split("&")[0].replace("%20", " ")]()


@check("result", "a result that is no iterable of bytes is a 500")
def results(server):
    for kind in RESULTS:
        for started in ["", "&unstarted"]:
            expect(f"{kind}{started}", 500, server.get(f"/result?{kind.replace(' ', '%20')}{started}").status)


class Stubborn:
    """Fails to close."""

    def __init__(self, error):
        self.error = error

    def __iter__(self):
        return iter([b"all ", b"there"])

    def close(self):
        raise self.error


@path
def stubborn(environ, start_response):
    start_response("200 OK", [TEXT])
    kind = {"error": RuntimeError, "exit": SystemExit}[environ["QUERY_STRING"].split("-")[0]]
    return Stubborn(kind(f"close fails {environ['QUERY_STRING']}"))


def deaf():
    """A generator that will not be closed."""
    while True:
        try:
            yield b"x" * 16_384
        except GeneratorExit:
            yield b"not yet"


@path
def deafness(environ, start_response):
    start_response("200 OK", [TEXT])
    record(environ, "begun")
    return deaf()


@check("close", "an error in close() is logged and harms nothing")
def close_fails(server):
    for kind in ["error", "exit"]:
        token = server.token()
        response = server.get(f"/stubborn?{kind}-{token}")
        expect(f"{kind}: body", (200, "all there"), (response.status, response.text))
        server.await_log(f"close fails {kind}-{token}")
    token = server.token()
    with server.connect(receive_buffer=4096) as connection:
        connection.request("GET", f"/deafness/{token}")
        connection.head()
    server.await_log("generator ignored GeneratorExit")
    expect("the others go on", True, server.is_answering())


@path
def vandal(environ, start_response):
    """Leaves nothing of environ, nor of the input."""
    stream = environ["wsgi.input"]
    environ.clear()
    for name in ("REQUEST_METHOD", "PATH_INFO", "wsgi.input"):
        environ[name] = None
    del stream
    return text(start_response, "cleared")


@check("environ", "an application may ruin its environ")
def ruined(server):
    with server.connect() as connection:
        for _ in range(3):
            connection.request("POST", "/vandal", body=b"some body")
            expect("answer", "cleared", connection.response().text)


@path
def fork(environ, start_response):
    """Forks; the child ends in the way of the query."""
    child = os.fork()
    if child == 0:
        if environ["QUERY_STRING"] == "exit":
            sys.exit(0)
        elif environ["QUERY_STRING"] == "raise":
            raise RuntimeError("in the child")
        elif environ["QUERY_STRING"] == "return":
            return text(start_response, "from the child")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return text(start_response, f"parent {os.waitstatus_to_exitcode(status)}")


@check("fork", "os.fork in a view, with a child that ends by os._exit")
def forked(server):
    for _ in range(3):
        expect("answer", "parent 0", server.get("/fork").text)
    expect("others", True, server.is_answering())


@check("fork", "a forked child that runs out of the view is no second server", needs=("portico",))
def stray_child(server):
    for how in ["exit", "raise", "return"]:
        with server.connect() as connection:
            connection.request("GET", f"/fork?{how}")
            response = connection.response()
            expect(f"{how}: the parent's answer", "parent", response.text[:6])
            connection.request("GET", "/hello")
            expect(f"{how}: the next answer on the connection", "hello", connection.response().text)
        expect(f"{how}: others", True, server.is_answering())


@path
def threads(environ, start_response):
    """Starts threads that fail, and others that outlive the request."""
    import threading

    def fail():
        raise RuntimeError(f"in a thread {token_of(environ)}")

    failing = threading.Thread(target=fail)
    failing.start()
    failing.join()
    threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()
    return text(start_response, threading.current_thread().name)


@check("threads", "an error in a thread of the application is logged")
def failing_thread(server):
    token = server.token()
    expect("status", 200, server.get(f"/threads/{token}").status)
    server.await_log(f"in a thread {token}")


@path
def large(environ, start_response):
    """Much of everything."""
    count, size = (int(part) for part in environ["QUERY_STRING"].split("-"))
    start_response("200 OK", [(f"X-{index}", "v" * size) for index in range(count)])
    return [b"end"]


@check("large", "large response heads arrive, or are refused as a whole")
def large_heads(server):
    for count, size in [(1, 60_000), (1_000, 100), (100, 10_000)]:
        response = server.get(f"/large?{count}-{size}")
        if response.status == 200:
            own = [value for name, value in response.headers if name.lower().startswith("x-")]
            expect(f"{count} of {size}", (count, "end"), (len(own), response.text))
        else:
            expect(f"{count} of {size}: status", 500, response.status)


@check("large", "a response of 50 MB in one chunk, and to a slow reader")
def large_body(server):
    response = server.get("/huge?50000000")
    expect("size", 50_000_000, len(response.body))
    require("complete", True, response.complete)
    with server.connect(receive_buffer=4096) as connection:
        connection.request("GET", "/huge?3000000")
        expect("to a small window", 3_000_000, len(connection.response().body))


@path
def huge(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"x" * int(environ["QUERY_STRING"])]
