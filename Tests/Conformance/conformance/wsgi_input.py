"""W15 to W21: `wsgi.input` and `wsgi.errors`."""

import json
import time

from .servers import Server
from .suite import expect, one_of, require
from .wire import chunk
from .wsgi_environ import check
from .wsgi_site import path, record, report, text, token_of


@path
def input(environ, start_response):
    """Calls the methods of `wsgi.input` that the query lists, and reports what each returned."""
    stream = environ["wsgi.input"]
    results = []
    for name, *arguments in json.loads(bytes.fromhex(environ["QUERY_STRING"])):
        value = list(stream) if name == "iterate" else getattr(stream, name)(*arguments)
        results.append([part.decode("latin-1") for part in value] if isinstance(value, list) else value.decode("latin-1"))
    return report(start_response, results)


def operate(server: Server, body: bytes, *operations: list, chunked: bool = False) -> list:
    """What the operations return on a stream of this body; the connection stays open meanwhile."""
    target = "/input?" + json.dumps(operations).encode().hex()
    if not chunked:
        return server.post(target, body).json()
    pieces = [body[start : start + 3] for start in range(0, len(body), 3)]
    framed = b"".join(chunk(piece) for piece in pieces) + chunk(b"")
    return server.post(target, framed, "Transfer-Encoding: chunked").json()


TEXT = b"alpha\nbeta\ngamma"
LONG = b"x" * 200_000 + b"\n" + b"y" * 70_000
STREAMS = [
    ("W15", TEXT, ["read", 3], "alp", ["read", 100], "ha\nbeta\ngamma"),
    ("W15", TEXT, ["read", 6], "alpha\n", ["readline", 100], "beta\n"),
    ("W15", TEXT, ["readlines"], ["alpha\n", "beta\n", "gamma"]),
    ("W15", TEXT, ["iterate"], ["alpha\n", "beta\n", "gamma"], ["iterate"], []),
    ("W15", b"", ["read", 5], "", ["readline", 5], "", ["iterate"], [], ["readlines"], []),
    ("W16", b"hello", ["read", 5], "hello", ["read", 5], "", ["read", 1], "", ["readline", 9], "", ["iterate"], []),
    ("W16", b"hello", ["read", 100_000], "hello", ["readlines"], []),
    ("W17", b"a\nb\n\nc", ["readlines"], ["a\n", "b\n", "\n", "c"]),
    ("W17", b"a\nb\n\nc", ["iterate"], ["a\n", "b\n", "\n", "c"]),
]
"""A line, a body, then operations with what each returns; all keep to what the validator lets through."""

LIBERAL = [
    ("W15", TEXT, ["read"], TEXT.decode(), ["read"], ""),
    ("W15", TEXT, ["read", -1], TEXT.decode()),
    ("W15", TEXT, ["read", 0], "", ["readline", 3], "alp", ["readline", 9], "ha\n", ["readline", 4], "beta"),
    ("W15", TEXT, ["readlines", 100], ["alpha\n", "beta\n", "gamma"]),
    ("W15", TEXT, ["readline", -1], "alpha\n", ["readline", 0], "", ["readline"], "beta\n"),
    ("W16", b"hello", ["read"], "hello", ["read"], "", ["readline"], "", ["readlines"], []),
    ("W17", b"a\nb\n\nc", *[["readline"], "a\n", ["readline"], "b\n", ["readline"], "\n", ["readline"], "c"]),
    ("W17", b"a\nb\n\nc", ["readline"], "a\n", ["read"], "b\n\nc", ["readline"], ""),
    ("W17", b"a\nb\n\nc", ["readline"], "a\n", ["read", 2], "b\n", ["readline"], "\n", ["iterate"], ["c"]),
    ("W17", b"a\r\nb\rc\n", ["readline"], "a\r\n", ["readline"], "b\rc\n", ["readline"], ""),
    ("W17", b"\n\n", ["readline"], "\n", ["readlines"], ["\n"]),
    ("W17", LONG, ["readline"], LONG[:200_001].decode(), ["read", 10], "y" * 10, ["readline"], "y" * 69_990),
]


def expect_stream(server: Server, rows: list, identifier: str, chunked: bool) -> None:
    for name, body, *steps in rows:
        if name == identifier:
            operations, expected = steps[::2], steps[1::2]
            got = operate(server, body, *operations, chunked=chunked)
            if got != expected:
                expect(f"{operations} on {len(body)} bytes{' in chunks' if chunked else ''}", expected, got)


@check("W15", "read, readline, readlines and iteration", with_validator=True)
def methods(server):
    expect_stream(server, STREAMS, "W15", chunked=False)


@check("W15", "read() and readline(size), too")
def liberal_methods(server):
    expect_stream(server, LIBERAL, "W15", chunked=False)


@check("W16", "the end is b'', and nothing blocks past Content-Length", with_validator=True)
def end_of_input(server):
    expect_stream(server, STREAMS, "W16", chunked=False)


@check("W16", "read() at the end is b'', too")
def liberal_end(server):
    expect_stream(server, LIBERAL, "W16", chunked=False)


@path
def unread(environ, start_response):
    """Answers without a look at the body."""
    return text(start_response, "not read")


@check("W16", "bytes left over belong to the next request", with_validator=True)
def left_over(server):
    next_request = f"GET {server.path('/hello')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with server.connect() as connection:
        target = server.path("/input?") + json.dumps([["read", 100], ["read", 100]]).encode().hex()
        head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n".encode()
        connection.send(head + b"hello" + next_request)
        expect("first body", ["hello", ""], connection.response().json())
        expect("second response", "hello", connection.response().text)


@check("W16", "a body nobody read is never taken for a request", with_validator=True)
def unread_body(server):
    smuggled = b"GET /environ/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    following = f"GET {server.path('/hello')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    for framing, body in [
        (f"Content-Length: {len(smuggled)}", smuggled),
        ("Transfer-Encoding: chunked", chunk(smuggled) + chunk(b"")),
    ]:
        with server.connect() as connection:
            head = f"POST {server.path('/unread')} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n"
            connection.send(head.encode() + body + following)
            expect(f"answer ({framing})", "not read", connection.response().text)
            # Either the server threw the body away, or it closes: its choice.
            if not connection.is_ended():
                expect(f"what follows ({framing})", "hello", connection.response().text)


@check("W17", "lines keep their newline, and nothing of them is lost", with_validator=True)
def lines(server):
    expect_stream(server, STREAMS, "W17", chunked=False)


@check("W17", "readline() and read() may be mixed")
def mixed(server):
    expect_stream(server, LIBERAL, "W17", chunked=False)


@path
def dialog(environ, start_response):
    """Answers each line as soon as it has come."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"go\n"
    while line := environ["wsgi.input"].readline(100):
        yield line.upper()


@check("WX", "a line can be read as soon as it has arrived", with_validator=True, needs=("portico",))
def conversation(server):
    with server.connect() as connection:
        connection.request("POST", server.path("/dialog"), "Content-Length: 9")
        head = connection.head()
        expect("framing", "chunked", head["transfer-encoding"])
        require("first chunk", b"go\n", connection.chunk())
        for line in [b"ab\n", b"cd\n"]:
            connection.send(line)
            expect("answer", line.upper(), connection.chunk())
        connection.send(b"ef\n")
        rest = b""
        while data := connection.chunk():
            rest += data
        expect("last", b"EF\n", rest)


@path
def framing(environ, start_response):
    body = environ["wsgi.input"].read(100_000)
    seen = {
        "length": environ.get("CONTENT_LENGTH"),
        "terminated": environ.get("wsgi.input_terminated"),
        "coding": environ.get("HTTP_TRANSFER_ENCODING"),
        "body": body.decode("latin-1"),
    }
    return report(start_response, seen)


@check("W18", "chunked bodies are decoded", with_validator=True)
def chunked(server):
    body = b"5;name=value\r\nhello\r\n" + chunk(b" ") + b"05\r\nworld\r\n" + b"0\r\nX-Trailer: t\r\n\r\n"
    with server.connect() as connection:
        connection.request("POST", server.path("/framing"), "Transfer-Encoding: chunked", body=body)
        seen = connection.response().json()
        expect("body", "hello world", seen["body"])
        expect("CONTENT_LENGTH", one_of(None, "", "11"), seen["length"])
        expect("wsgi.input_terminated", True, seen["terminated"])
        connection.request("GET", server.path("/hello"))
        expect("the next request", "hello", connection.response().text)


@check("W18", "the methods of wsgi.input on chunked bodies")
def chunked_methods(server):
    for identifier in ["W15", "W16", "W17"]:
        expect_stream(server, STREAMS + LIBERAL[:-1], identifier, chunked=True)


@check("W18", "a large chunked body arrives whole, without having been announced")
def large_chunked(server):
    size = 3_000_000
    body = b"".join(chunk(b"z" * 50_000) for _ in range(size // 50_000)) + chunk(b"")
    operations = json.dumps([["read", size - 1], ["read", 10]]).encode().hex()
    got = server.post(f"/input?{operations}", body, "Transfer-Encoding: chunked").json()
    expect("lengths", [size - 1, 1], [len(part) for part in got])


@check("WX", "wsgi.input_terminated with a Content-Length, too", needs=("portico",))
def terminated(server):
    expect("wsgi.input_terminated", True, server.post("/framing", b"abc").json()["terminated"])


@path
def devour(environ, start_response):
    """Reads all there is, and records what became of it."""
    record(environ, "begun")
    try:
        body = environ["wsgi.input"].read(int(environ["QUERY_STRING"]))
    except BaseException as error:
        record(environ, f"raised {isinstance(error, Exception)}")
        record(environ, "done")
        raise
    record(environ, f"read {len(body)}")
    record(environ, "done")
    return text(start_response)


@check("W19", "a body cut short is not taken for a whole one")
def cut_short(server):
    for framing, sent, short in [
        ("Content-Length: 100", b"0123456789", 10),
        ("Transfer-Encoding: chunked", chunk(b"0123456789"), None),
        ("Transfer-Encoding: chunked", b"64\r\n0123456789", None),
    ]:
        for leave in ["finish_sending", "close"]:
            token = server.token()
            connection = server.connect()
            connection.request("POST", f"/devour/{token}?100", framing)
            connection.send(sent)
            is_called = has_begun(server, token)
            getattr(connection, leave)()
            if leave == "finish_sending":
                connection.rest()
                connection.close()
            events = server.await_event(token, "done") if is_called else []
            outcome = [event for event in events if event.startswith("r")]
            allowed = [[], ["raised True"]] + ([[f"read {short}"]] if short else [])
            expect(f"{framing}, {len(sent)} bytes, then {leave}", one_of(*allowed), outcome)


def has_begun(server: Server, token: str, limit: float = 1.0) -> bool:
    """Whether the application was called; a server that takes the whole body first need not call it at all."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if server.events(token):
            return True
        time.sleep(0.005)
    return False


@path
def expecting(environ, start_response):
    body = environ["wsgi.input"].read(5)
    return text(start_response, f"read {body.decode()}")


@path
def refusing(environ, start_response):
    return text(start_response, "too large", "413 Content Too Large")


@check("W20", "100 Continue before the body is read", with_validator=True)
def continued(server):
    with server.connect() as connection:
        connection.request("POST", server.path("/expecting"), "Expect: 100-continue", "Content-Length: 5")
        first = connection.head()
        require("interim status", 100, first.status)
        connection.send(b"hello")
        expect("answer", "read hello", connection.response().text)


@check("W20", "no 100 after a final status")
def refused(server):
    with server.connect() as connection:
        connection.request(
            "POST", "/refusing", "Expect: 100-continue", "Content-Length: 5", "Connection: close"
        )
        statuses = []
        while not statuses or statuses[-1] < 200:
            statuses.append(connection.response().status)
        expect("statuses", one_of([413], [100, 413]), statuses)
        expect("what follows", b"", connection.rest())
        if server.is_portico:
            expect("statuses of ours", [413], statuses)


@check("W20", "no 100 to a client of HTTP/1.0")
def continued_old(server):
    with server.connect() as connection:
        connection.request("POST", "/expecting", "Expect: 100-continue", body=b"hello", version="1.0")
        expect("first status", 200, connection.response().status)


@path
def complain(environ, start_response):
    errors = environ["wsgi.errors"]
    token = token_of(environ)
    errors.write(f"written {token}\n")
    errors.writelines([f"line one {token}\n", f"line two {token}\n"])
    errors.flush()
    if environ["QUERY_STRING"]:
        errors.write(f"wide {token} \N{SNOWMAN} \N{LATIN SMALL LETTER E WITH ACUTE} \U0001f40d\n")
        errors.write("surrogate \udcff\n")
        print(f"printed {token}", file=errors)
        errors.flush()
    return text(start_response)


@check("W21", "wsgi.errors has write, writelines and flush, and reaches the log", with_validator=True)
def errors(server):
    token = server.token()
    expect("status", 200, server.get(f"/complain/{token}").status)
    for line in [f"written {token}", f"line one {token}", f"line two {token}"]:
        server.await_log(line)


@check("W21", "wsgi.errors takes any text")
def wide_errors(server):
    token = server.token()
    expect("status", 200, server.get(f"/complain/{token}?wide").status)
    server.await_log(f"wide {token}")
    server.await_log(f"printed {token}")
