"""W31 to W40: what the application returns."""

from .suite import eventually, expect, one_of, require
from .wire import NoResponse
from .wsgi_environ import check
from .wsgi_site import TEXT, path, record, text, wait


@path
def generator(environ, start_response):
    """start_response is called when the first chunk is asked for, not before."""
    start_response("202 Accepted", [TEXT, ("X-From", "generator")])
    yield b"one "
    yield b"two"


class Lazy:
    """The same as a class with an iterator of its own."""

    def __init__(self, start_response):
        self.start_response = start_response
        self.chunks = iter([b"", b"one ", b"two"])

    def __iter__(self):
        return self

    def __next__(self):
        if self.start_response is not None:
            self.start_response("202 Accepted", [TEXT, ("X-From", "iterator")])
            self.start_response = None
        return next(self.chunks)


@path
def iterator(environ, start_response):
    return Lazy(start_response)


@check("W31", "start_response may be called as late as the first iteration", with_validator=True)
def late_start(server):
    for name in ["generator", "iterator"]:
        response = server.get(f"/{name}")
        expect(name, (202, name, "one two"), (response.status, response["x-from"], response.text))


@path
def never_started(environ, start_response):
    if environ["QUERY_STRING"] == "empty":
        return []
    return [b"nobody said what this is"]


@check("W31", "an iterable that never calls start_response gets 500")
def no_start(server):
    for variant in ["", "empty"]:
        response = server.get(f"/never_started?{variant}")
        expect(f"status ({variant or 'with a chunk'})", 500, response.status)
        expect("the chunk", False, "nobody said" in response.text)


class Body:
    """Chunks with a close() that counts."""

    def __init__(self, environ, chunks):
        self.environ = environ
        self.chunks = iter(chunks)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.chunks)

    def close(self):
        record(self.environ, "close")


def failing():
    yield b"first"
    raise RuntimeError("failing on purpose")


def endless():
    while True:
        yield b"x" * 16_384


@path
def closing(environ, start_response):
    """A body with close(), which ends in the way the query says."""
    kind = environ["QUERY_STRING"]
    record(environ, "begun")
    if kind == "before":
        return Body(environ, failing_at_once())
    length = [("Content-Length", "5")] if kind == "too long" else []
    start_response("204 No Content" if kind == "204" else "200 OK", [TEXT, *length] if kind != "204" else [])
    chunks = {"failing": failing, "endless": endless, "too%20long": lambda: iter([b"hello", b" world"])}
    return Body(environ, chunks.get(kind, lambda: iter([b"a", b"b"]))())


def failing_at_once():
    raise RuntimeError("failing on purpose")
    yield b"never"


@check("W32", "close() is called once, at the end or after an error", with_validator=True)
def closed(server):
    for method, kind in [("GET", "all"), ("HEAD", "all"), ("GET", "204")]:
        token = server.token()
        server.ask(method, f"/closing/{token}?{kind}")
        server.await_event(token, "close")
        expect(f"{method} {kind}", ["begun", "close"], server.events(token))


@check("W32", "close() is called once when the iteration fails")
def closed_after_error(server):
    for kind in ["failing", "before", "too%20long"]:
        token = server.token()
        server.get(f"/closing/{token}?{kind}")
        server.await_event(token, "close")
        expect(kind, ["begun", "close"], server.events(token))


@check("W32", "close() is called once when the client is gone", with_validator=True)
def closed_without_client(server):
    for leave in ["close", "reset"]:
        token = server.token()
        connection = server.connect(receive_buffer=4096)
        connection.request("GET", server.path(f"/closing/{token}?endless"))
        connection.head()
        getattr(connection, leave)()
        server.await_event(token, "close")
        expect(leave, ["begun", "close"], server.events(token))


class Curious:
    """Notes which attributes are asked for."""

    def __init__(self, environ):
        object.__setattr__(self, "environ", environ)

    def __getattribute__(self, name):
        environ = object.__getattribute__(self, "environ")
        if name not in ("environ", "__class__"):
            record(environ, name)
        return object.__getattribute__(self, name)

    def __iter__(self):
        return iter([b"plain"])


@path
def curious(environ, start_response):
    start_response("200 OK", [TEXT])
    return Curious(environ)


@check("W33", "no attribute of the iterable is used but close")
def attributes(server):
    token = server.token()
    expect("body", "plain", server.get(f"/curious/{token}").text)
    expect("others asked for", set(), set(server.events(token)) - {"close", "__iter__", "__len__"})


class Sequence:
    """Iterable by the old protocol alone."""

    def __getitem__(self, index):
        return [b"a", b"b", b"c"][index]


SHAPES = {
    "list of one": lambda: [b"abc"],
    "list": lambda: [b"a", b"b", b"c"],
    "tuple": lambda: (b"a", b"bc"),
    "iterator": lambda: iter([b"a", b"b", b"c"]),
    "map": lambda: map(str.encode, "abc"),
    "sequence": Sequence,
    "dictionary": lambda: {b"ab": 1, b"c": 2},
}


@path
def shape(environ, start_response):
    start_response("200 OK", [TEXT])
    return SHAPES[environ["QUERY_STRING"].replace("%20", " ")]()


@check("W33", "any iterable of bytes will do", with_validator=True)
def shapes(server):
    for name in SHAPES:
        response = server.get(f"/shape?{name.replace(' ', '%20')}")
        expect(name, ("abc", True), (response.text, response.complete))


@path
def nothing(environ, start_response):
    start_response("203 Nothing", [TEXT, ("X-Here", "1")])
    return []


@check("W33", "an empty iterable still has a status and headers", with_validator=True)
def empty(server):
    with server.connect() as connection:
        for _ in range(2):
            connection.request("GET", server.path("/nothing"))
            response = connection.response()
            expect("answer", (203, "1", ""), (response.status, response["x-here"], response.text))


@path
def stepwise(environ, start_response):
    """Asks for permission between its chunks."""
    start_response("200 OK", [TEXT])
    yield b"first"
    wait(environ)
    yield b""
    yield b"second"


@check("W34", "each chunk is on its way before the next is asked for", with_validator=True)
def chunk_by_chunk(server):
    token = server.token()
    with server.connect() as connection:
        connection.request("GET", server.path(f"/stepwise/{token}"))
        head = connection.head()
        require("framing", "chunked", head["transfer-encoding"])
        expect("before the second is made", b"first", connection.chunk())
        server.open(token)
        expect("then", b"second", connection.chunk())
        expect("end", b"", connection.chunk())


@path
def gaps(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"", b"a", b"", b"", b"b", b""]


@check("W34", "empty chunks send nothing and end nothing", with_validator=True)
def empty_chunks(server):
    with server.connect() as connection:
        for _ in range(2):
            connection.request("GET", server.path("/gaps"))
            response = connection.response()
            expect("body", ("ab", True), (response.text, response.complete))


@path
def declared(environ, start_response):
    """Content-Length 5, and as many bytes as the query says, one a chunk."""
    start_response("200 OK", [TEXT, ("Content-Length", "5")])
    for index in range(int(environ["QUERY_STRING"])):
        record(environ, index)
        yield b"%d" % (index % 10)


@check("W35", "no more than Content-Length bytes are sent, and iterating stops")
def too_long(server):
    token = server.token()
    with server.connect() as connection:
        connection.request("GET", f"/declared/{token}?100")
        response = connection.response()
        expect("body", "01234", response.text)
        # Nothing of the rest may be taken for the next response.
        connection.request("GET", "/hello")
        try:
            expect("the next answer", "hello", connection.response().text)
        except (NoResponse, ConnectionError):
            pass  # The server chose to close.
    expect("stops before chunk 7 of 100", True, len(server.events(token)) <= 7)


@check("W35", "too few bytes end the connection, and are logged")
def too_short(server):
    token = server.token()
    with server.connect() as connection:
        connection.request("GET", f"/declared/{token}?3")
        response = connection.response()
        expect("body", ("012", False), (response.text, response.complete))
    if server.is_portico:
        server.await_log(token)


@path
def breaking(environ, start_response):
    """Fails before, or after, its first chunk."""
    when, _, message = environ["QUERY_STRING"].partition("-")
    if when == "call":
        raise RuntimeError(f"on purpose {message}")
    return broken(when, message, start_response)


def broken(when, message, start_response):
    if when == "first":
        raise RuntimeError(f"on purpose {message}")
    start_response("200 OK", [TEXT, *([("Content-Length", "100")] if when == "length" else [])])
    if when == "started":
        raise RuntimeError(f"on purpose {message}")
    yield b"part"
    raise RuntimeError(f"on purpose {message}")


def expect_one_trace(server, token):
    """The log has the exception, with its traceback, once."""
    log = server.await_log(f"RuntimeError: on purpose {token}")
    expect("times logged", 1, log.count(f"RuntimeError: on purpose {token}"))
    expect("where it was raised", True, "wsgi_iterable.py" in log)


@check("W36", "an error after the first chunk cuts the response, and is logged once")
def cut(server):
    for when in ["chunk", "length"]:
        token = server.token()
        response = server.get(f"/breaking?{when}-{token}")
        expect(f"{when}: status and body", (200, "part"), (response.status, response.text))
        expect(f"{when}: complete", False, response.complete)
        expect_one_trace(server, token)


@check("W37", "an error before the headers are sent is a 500, and is logged once")
def internal_error(server):
    for when in ["call", "first", "started"]:
        token = server.token()
        with server.connect() as connection:
            connection.request("GET", f"/breaking?{when}-{token}")
            response = connection.response()
            expect(f"{when}: status", 500, response.status)
            expect(f"{when}: complete", True, response.complete)
            expect(f"{when}: the error's text is nobody's business", False, token in response.text)
        expect_one_trace(server, token)


@path
def slow_writing(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(b"written")
    wait(environ)
    return [b"returned"]


@check("W38", "write() sends at once, before what is returned", with_validator=True)
def write_order(server):
    token = server.token()
    with server.connect() as connection:
        connection.request("GET", server.path(f"/slow_writing/{token}"))
        require("framing", "chunked", connection.head()["transfer-encoding"])
        expect("before the application goes on", b"written", connection.chunk())
        server.open(token)
        expect("then", b"returned", connection.chunk())
        expect("end", b"", connection.chunk())


@path
def bodiless(environ, start_response):
    """A body, whatever the status; with or without a length."""
    status, _, length = environ["QUERY_STRING"].partition("-")
    headers = [("Content-Length", length)] if length else []
    start_response(f"{status} Whatever", headers + ([TEXT] if status == "200" else []))
    return [b"ab", b"cd"]


@check("W39", "HEAD, 204 and 304 carry no body, whatever the application yields")
def no_body(server):
    for method, query, length in [
        ("HEAD", "200-4", ["4"]),
        ("HEAD", "200", one_of([], ["4"])),
        ("GET", "204", []),
        ("GET", "204-4", []),
        ("GET", "304", one_of([], ["4"])),
        ("GET", "304-4", one_of([], ["4"])),
        ("HEAD", "204-4", []),
    ]:
        with server.connect() as connection:
            connection.request(method, f"/bodiless?{query}")
            response = connection.response(to=method)
            name = f"{method} {query}"
            expect(f"{name}: status", int(query[:3]), response.status)
            expect(f"{name}: Content-Length", length, response.all("content-length"))
            if query[:3] == "204":
                expect(f"{name}: Transfer-Encoding", None, response["transfer-encoding"])
            connection.request("GET", "/hello")
            try:
                expect(f"{name}: the next answer", "hello", connection.response().text)
            except (NoResponse, ConnectionError):
                pass  # It may close, but not send a body.


@check("W39", "a status of 1xx is never a final answer with a body")
def interim(server):
    with server.connect() as connection:
        connection.request("GET", "/bodiless?103")
        response = connection.head()
        if response.status == 103:
            expect("after the head of a 103", b"", connection.rest())
        else:
            expect("status", 500, response.status)


CHUNKS = {
    "text": "text", "none": None, "number": 7, "list": [b"x"], "object": object(),
}  # fmt: skip


@path
def mistyped(environ, start_response):
    """A chunk of the wrong type, alone or after a right one."""
    kind, _, after = environ["QUERY_STRING"].partition("-")
    start_response("200 OK", [TEXT])
    if kind == "bytes":
        return b"abc"  # Iterates as numbers.
    if kind == "whole":
        return "text"
    return iter(([b"right"] if after else []) + [CHUNKS[kind]])


@check("W40", "a chunk that is not bytes is an error, no encoding is guessed")
def wrong_chunks(server):
    for kind in CHUNKS:
        first = server.get(f"/mistyped?{kind}")
        expect(f"{kind}: status", 500, first.status)
        later = server.get(f"/mistyped?{kind}-after")
        expect(f"{kind} after a chunk", (200, "right", False), (later.status, later.text, later.complete))
    for kind in ["bytes", "whole"]:
        expect(f"{kind} as iterable", 500, server.get(f"/mistyped?{kind}").status)
