"""A1 to A9: the core of ASGI 3.0."""

import asyncio

from .asgi_site import TEXT, body, events, path, record, report, start, text, token_of
from .servers import StartError
from .suite import Checklist, eventually, expect, one_of, require

ASGI = Checklist("asgi", [f"A{number}" for number in range(1, 10)])
check = ASGI.check

KNOWN_EXTENSIONS = {
    "http": {
        "http.response.trailers", "http.response.pathsend", "http.response.zerocopysend", "http.response.early_hint",
    },
    "websocket": {"websocket.http.response"},
}  # fmt: skip
"""What a connection of plain HTTP/1.1 can have."""


def plain(value: object) -> object:
    """As JSON says it; bytes as latin-1 text behind a `b:`."""
    if isinstance(value, bytes):
        return "b:" + value.decode("latin-1")
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else f"{type(value).__name__}"


def strangers(value: object, place: str = "event") -> list[str]:
    """Where a value has types that an event may not carry."""
    if isinstance(value, dict) and type(value) is dict:
        inside = [strangers(part, f"{place}[{key!r}]") for key, part in value.items()]
        return [f"{place}: key {key!r}" for key in value if type(key) is not str] + sum(inside, [])
    if type(value) is list:
        return sum([strangers(part, f"{place}[{index}]") for index, part in enumerate(value)], [])
    return [] if type(value) in (bytes, str, int, float, bool, type(None)) else [f"{place}: {type(value).__name__}"]


@path
async def scope(scope, receive, send):
    """All of the scope, and the types of its values."""
    seen = {
        "type": type(scope).__name__,
        "types": {key: type(value).__name__ for key, value in scope.items()},
        "scope": {key: plain(value) for key, value in scope.items() if key not in ("app", "state")},
    }
    scope["conformance.mark"] = "left here"
    scope["headers"] = []
    await report(send, seen)


@check("A1", "the application is awaited with scope, receive and send, once for each request")
def called(server):
    token = server.token()
    with server.connect() as connection:
        for _ in range(3):
            connection.request("GET", f"/counted/{token}")
            connection.response()
    expect("calls for three requests on one connection", ["call"] * 3, server.events(token))


@path
async def counted(scope, receive, send):
    record(scope, "call")
    await text(send)


@check("A2", "scope is a fresh dict with the versions of ASGI")
def versions(server):
    with server.connect() as connection:
        for _ in range(2):
            connection.request("GET", "/scope", "X-Header: here")
            seen = connection.response().json()
            expect("type", "dict", seen["type"])
            expect("type of the connection", "http", seen["scope"]["type"])
            expect("asgi.version", "3.0", seen["scope"]["asgi"]["version"])
            spec = "2.5" if server.is_portico else one_of("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", None)
            expect("asgi.spec_version", spec, seen["scope"]["asgi"].get("spec_version"))
            expect("left from the request before", False, "conformance.mark" in seen["types"])
            expect("headers", True, ["b:x-header", "b:here"] in seen["scope"]["headers"])


def answer_of(server):
    response = server.get("/")
    return response.status, response.text


@check("A3", "an ASGI 2 application is served as what it is", alone=True)
def double_callable(server):
    for name in ["Double", "double_function"]:
        try:
            with server.another(application=f"conformance.variants:{name}") as other:
                expect(name, (200, "asgi"), answer_of(other))
        except StartError as error:
            expect(name, "a start", str(error))


@check("A3", "the gateway is found out by itself, as asgiref does", needs=("portico",), alone=True)
def automatic(server):
    for name, gateway in {
        "answer": "asgi", "single_object": "asgi", "single_method": "asgi", "partial": "asgi",
        "wsgi_function": "wsgi", "wsgi_object": "wsgi",
    }.items():  # fmt: skip
        try:
            with server.another(application=f"conformance.variants:{name}") as other:
                expect(name, (200, gateway), answer_of(other))
        except StartError as error:
            expect(name, "a start", str(error))


@path
async def event_types(scope, receive, send):
    wrong = []
    while True:
        event = await receive()
        wrong += strangers(event)
        if not event.get("more_body", False):
            break
    await report(send, wrong)


@check("A4", "events carry plain values alone")
def plain_values(server):
    expect("GET", [], server.get("/event_types").json())
    expect("POST", [], server.post("/event_types", b"x" * 200_000).json())


START = {"type": "http.response.start", "status": 200, "headers": [TEXT]}
INVALID = {
    "unknown type": {"type": "http.response.nonsense"},
    "no type": {"status": 200},
    "type of another protocol": {"type": "websocket.accept"},
    "type that is no text": {"type": 7},
    "no dict": ["http.response.start"],
    "None": None,
    "start without status": {"type": "http.response.start", "headers": []},
    "status of text": {**START, "status": "200"},
    "status None": {**START, "status": None},
    "status out of range": {**START, "status": 99_999},
    "headers of text": {**START, "headers": [("x-a", "b")]},
    "value of text": {**START, "headers": [(b"x-a", "b")]},
    "headers that are no pairs": {**START, "headers": [(b"x-a",)]},
    "headers that are a number": {**START, "headers": 5},
    "empty name": {**START, "headers": [(b"", b"b")]},
    "name with CR LF": {**START, "headers": [(b"x-a\r\nx-injected: 1", b"b")]},
    "value with CR LF": {**START, "headers": [(b"x-a", b"b\r\nx-injected: 1")]},
    "value with LF": {**START, "headers": [(b"x-a", b"b\nx-injected: 1")]},
    "value with NUL": {**START, "headers": [(b"x-a", b"b\0c")]},
    "body before start": {"type": "http.response.body", "body": b"early"},
}
INVALID_BODIES = {
    "body of text": {"type": "http.response.body", "body": "text", "more_body": True},
    "body of int": {"type": "http.response.body", "body": 7, "more_body": True},
    "body None": {"type": "http.response.body", "body": None, "more_body": True},
    "unknown type after start": {"type": "http.response.nonsense"},
}


@path
async def invalid(scope, receive, send):
    """Sends one of the table's events, and says whether `send` raised."""
    row = scope["query_string"].decode().replace("%20", " ")
    is_late = row in INVALID_BODIES
    if is_late:
        await start(send)
    try:
        await send((INVALID | INVALID_BODIES)[row])
        outcome = b"accepted"
    except Exception:
        outcome = b"refused"
    if not is_late:
        try:
            await start(send)
        except Exception:
            outcome += b" and started"
    await body(send, outcome)


def expect_refusals(server, rows):
    for row in rows:
        with server.connect() as connection:
            connection.request("GET", f"/invalid?{row.replace(' ', '%20')}")
            try:
                response = connection.response()
            except Exception as error:
                expect(row, "refused", f"{type(error).__name__}: {error}")
                continue
            expect(row, (200, "refused"), (response.status, response.text))
            expect(f"{row}: injected header", [], response.all("x-injected"))


@check("A5", "an invalid event raises out of send, and nothing of it is sent")
def invalid_events(server):
    expect_refusals(server, INVALID)


@check("A5", "an invalid event after the start raises, too")
def invalid_bodies(server):
    expect_refusals(server, INVALID_BODIES)


@path
async def generous(scope, receive, send):
    await start(send, own_key=1, another={"deep": [b""]})
    await send({"type": "http.response.body", "body": b"generous", "own_key": object()})


@path
async def sparse(scope, receive, send):
    """Leaves out everything that has a default."""
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})


@path
async def iterables(scope, receive, send):
    """Headers may be any iterable of pairs."""
    await send({"type": "http.response.start", "status": 200, "headers": iter([[b"x-list", b"1"], (b"x-tuple", b"2")])})
    await send({"type": "http.response.body", "body": b"ok"})


@check("A5", "extra keys and missing optional ones never raise")
def liberal_events(server):
    expect("extra keys", (200, "generous"), (lambda r: (r.status, r.text))(server.get("/generous")))
    expect("missing keys", (200, "", True), (lambda r: (r.status, r.text, r.complete))(server.get("/sparse")))
    response = server.get("/iterables")
    expect("headers of any iterable", ("1", "2"), (response["x-list"], response["x-tuple"]))


@path
async def raising(scope, receive, send):
    when, _, token = scope["query_string"].decode().partition("-")
    if when != "before":
        await start(send, 200, (TEXT, (b"content-length", b"100")) if when == "length" else (TEXT,))
        await body(send, b"part", more=True)
    raise RuntimeError(f"on purpose {token}")


@check("A6", "an error of the application ends its connection, and is logged once")
def failing(server):
    for when in ["before", "chunk", "length"]:
        token = server.token()
        response = server.get(f"/raising?{when}-{token}")
        if when == "before":
            expect("status", 500, response.status)
            expect("the error's text is nobody's business", False, token in response.text)
        else:
            expect(f"{when}: answer", (200, "part", False), (response.status, response.text, response.complete))
        log = server.await_log(f"RuntimeError: on purpose {token}")
        expect(f"{when}: times logged", 1, log.count(f"RuntimeError: on purpose {token}"))
        expect(f"{when}: where it was raised", True, "asgi_core.py" in log)


@path
async def endless(scope, receive, send):
    """Sends until that raises, and lets the error out."""
    await start(send)
    try:
        for _ in range(20_000):
            await body(send, b"x" * 16_384, more=True)
            await asyncio.sleep(0)
        record(scope, "never raised")
    except BaseException as error:
        record(scope, f"raised {isinstance(error, OSError)} {type(error) is not OSError}")
        raise


@check("A7", "the server's own error, let out by the application, is not logged as one")
def own_error(server):
    before = len(server.log())
    token = server.token()
    connection = server.connect(receive_buffer=4096)
    connection.request("GET", f"/endless/{token}")
    connection.head()
    connection.reset()
    eventually("the application notices", lambda: server.events(token))
    server.get("/hello")
    expect("a traceback in the log", False, "Traceback" in server.log()[before:])


@check("A8", "extensions are those that work on this connection")
def extensions(server):
    seen = server.get("/scope").json()
    found = seen["scope"].get("extensions") or {}
    expect("what they map to", {"dict"} if found else set(), {type(value).__name__ for value in found.values()})
    expect("extensions that cannot work here", set(), set(found) - KNOWN_EXTENSIONS["http"])
    if server.is_portico:
        expect("extensions", KNOWN_EXTENSIONS["http"], set(found))


@path
async def flood(scope, receive, send):
    """More than any buffer holds; the record is a count."""
    await start(send)
    count = [0]
    events[token_of(scope)] = count
    for _ in range(4_000):
        await body(send, b"x" * 65_536, more=True)
        count[0] += 1
    await body(send)


@check("A9", "send waits for a client that does not read")
def back_pressure(server):
    token = server.token()
    with server.connect(receive_buffer=4096) as connection:
        connection.request("GET", f"/flood/{token}")
        require("status", 200, connection.head().status)
        repeats, before = 0, -1
        while repeats < 10:
            now = (server.events(token) or [0])[0]
            repeats, before = (repeats + 1 if now == before else 0), now
            require("what 4000 blocks of 64 KiB came to without a reader (KiB, at most 64 MiB)", True, now < 1_000)
        expect("the others go on", True, server.is_answering())
