"""W22 to W30: `start_response`."""

import gc
import sys
import weakref
from email.utils import parsedate_to_datetime

from .suite import expect, one_of
from .wsgi_environ import check
from .wsgi_site import TEXT, path, record, wait


@path
def writing(environ, start_response):
    """The imperative way: write() first, then what is returned."""
    write = start_response("200 OK", [TEXT])
    write(b"written ")
    write(b"")
    write(b"twice ")
    return [b"and ", b"returned"]


@check("W22", "start_response returns write", with_validator=True)
def write_callable(server):
    response = server.get("/writing")
    expect("body", "written twice and returned", response.text)
    expect("complete", True, response.complete)


@path
def held(environ, start_response):
    """Says its headers, then changes its mind before a byte of the body."""
    start_response("200 OK", [TEXT, ("X-First", "1")])
    yield b""
    record(environ, "waiting")
    wait(environ)
    try:
        raise LookupError("changed my mind")
    except LookupError:
        start_response("410 Gone", [TEXT, ("X-Second", "2")], sys.exc_info())
    yield b"gone"


@check("W23", "headers wait for the first byte of the body", with_validator=True)
def headers_held(server):
    token = server.token()
    with server.connect() as connection:
        connection.request("GET", server.path(f"/held/{token}"))
        server.await_event(token, "waiting")
        expect("silence before the first byte", True, connection.is_silent())
        server.open(token)
        response = connection.response()
        expect("status", 410, response.status)
        expect("body", "gone", response.text)


@path
def replaced(environ, start_response):
    start_response("200 OK", [TEXT, ("X-First", "1"), ("Set-Cookie", "first=1"), ("Content-Length", "999")])
    try:
        raise LookupError("on second thoughts")
    except LookupError:
        write = start_response("503 Sorry", [("Content-Type", "text/html"), ("X-Second", "2")], sys.exc_info())
    write(b"sor")
    return [b"ry"]


@check("W24", "exc_info before anything is sent replaces status and headers", with_validator=True)
def replacing(server):
    response = server.get("/replaced")
    expect("status", (503, "Sorry"), (response.status, response.reason))
    expect("body", ("sorry", True), (response.text, response.complete))
    expect("headers of the first call", [], response.all("x-first") + response.all("set-cookie"))
    expect("Content-Type", ["text/html"], response.all("content-type"))
    expect("X-Second", "2", response["x-second"])


class Late(Exception):
    """An application's own."""


@path
def late(environ, start_response):
    """Fails after its first byte, and tries to say so with start_response."""
    start_response("200 OK", [TEXT])
    yield b"first"
    error = Late("too late")
    try:
        raise error
    except Late:
        try:
            start_response("500 Oops", [TEXT], sys.exc_info())
            record(environ, "returned")
        except BaseException as raised:
            record(environ, f"raised {type(raised).__name__} {raised is error}")
            raise
    yield b"second"


@check("W25", "exc_info after headers are sent re-raises it", with_validator=True)
def reraised(server):
    token = server.token()
    response = server.get(f"/late/{token}")
    expect("what start_response did", ["raised Late True"], server.events(token))
    expect("status", 200, response.status)
    expect("body", "first", response.text)
    expect("whether the client can see that it is cut", False, response.complete)


@path
def twice(environ, start_response):
    """Calls start_response a second time, without a reason."""
    first = "OK" if environ["QUERY_STRING"] == "invalid" else "200 OK"
    try:
        start_response(first, [TEXT])
    except Exception:
        record(environ, "first raised")
    try:
        start_response("201 Created", [TEXT])
    except Exception:
        record(environ, "second raised")
        raise
    return [b"both accepted"]


@check("W26", "a second call without exc_info is an error")
def second_call(server):
    token = server.token()
    response = server.get(f"/twice/{token}")
    expect("second call", ["second raised"], server.events(token))
    expect("status", 500, response.status)


@check("W26", "also when the first call raised")
def second_call_after_error(server):
    token = server.token()
    response = server.get(f"/twice/{token}?invalid")
    expect("calls", ["first raised", "second raised"], server.events(token))
    expect("status", 500, response.status)


@path
def forgotten(environ, start_response):
    """Whether anybody still knows the exception once start_response has returned."""
    error = Late("forget me")
    reference = weakref.ref(error)
    try:
        raise error
    except Late:
        start_response("200 OK", [("Content-Type", "application/json")], sys.exc_info())
    del error
    gc.collect()
    return [b"true" if reference() is None else b"false"]


@check("W27", "no reference to exc_info is kept")
def forgetting(server):
    expect("forgotten", True, server.get("/forgotten").json())


ACCEPTED = {
    "usual": ("200 OK", [TEXT]),
    "no headers": ("200 OK", []),
    "own status": ("299 My Own", [TEXT]),
    "latin-1 value": ("200 OK", [TEXT, ("X-Name", "caf\xe9")]),
    "tab in a value": ("200 OK", [TEXT, ("X-Tab", "a\tb")]),
    "empty value": ("200 OK", [TEXT, ("X-Empty", "")]),
    "every legal character": ("200 OK", [TEXT, ("X!#$%&'*+-.^_`|~9", "x")]),
}
REFUSED = {
    "status of bytes": (b"200 OK", [TEXT]),
    "status of int": (200, [TEXT]),
    "status without a number": ("OK", [TEXT]),
    "status with a long number": ("2000 OK", [TEXT]),
    "status with a short number": ("20 OK", [TEXT]),
    "empty status": ("", [TEXT]),
    "status with CR LF": ("200 OK\r\nX-Injected: 1", [TEXT]),
    "status with LF": ("200 OK\nX-Injected: 1", [TEXT]),
    "status with NUL": ("200 O\0K", [TEXT]),
    "headers in a tuple": ("200 OK", (TEXT,)),
    "headers in a generator": ("200 OK", "GENERATOR"),
    "headers in a dict": ("200 OK", {"Content-Type": "text/plain"}),
    "headers None": ("200 OK", None),
    "pair in a list": ("200 OK", [["Content-Type", "text/plain"]]),
    "three in a tuple": ("200 OK", [("X-A", "b", "c")]),
    "name of bytes": ("200 OK", [(b"X-A", "b")]),
    "value of bytes": ("200 OK", [("X-A", b"b")]),
    "value of int": ("200 OK", [("Content-Length", 5)]),
    "value None": ("200 OK", [("X-A", None)]),
    "empty name": ("200 OK", [("", "b")]),
    "name with a space": ("200 OK", [("X A", "b")]),
    "name with a colon": ("200 OK", [("X-A:", "b")]),
    "name with CR LF": ("200 OK", [("X-A\r\nX-Injected", "b")]),
    "name with a letter of latin-1": ("200 OK", [("X-\xe9", "b")]),
    "value with CR LF": ("200 OK", [("X-A", "b\r\nX-Injected: 1")]),
    "value with LF": ("200 OK", [("X-A", "b\nX-Injected: 1")]),
    "value with CR": ("200 OK", [("X-A", "b\rX-Injected: 1")]),
    "value with NUL": ("200 OK", [("X-A", "b\0c")]),
    "value beyond latin-1": ("200 OK", [("X-A", "\N{SNOWMAN}")]),
    **{
        f"hop-by-hop {name}": ("200 OK", [TEXT, (name, value)])
        for name, value in {
            "Connection": "close", "Keep-Alive": "timeout=5", "Proxy-Authenticate": "Basic", "TE": "trailers",
            "Proxy-Authorization": "x", "Trailer": "X-A", "Transfer-Encoding": "chunked", "Upgrade": "h2c",
            "connection": "keep-alive",
        }.items()
    },
}  # fmt: skip


@path
def checking(environ, start_response):
    """Calls start_response with one of the tables' rows, and says whether it raised."""
    row = environ["QUERY_STRING"].replace("%20", " ")
    status, headers = (ACCEPTED | REFUSED)[row]
    headers = (pair for pair in [TEXT]) if headers == "GENERATOR" else headers
    try:
        start_response(status, headers)
    except Exception:
        start_response("200 OK", [TEXT, ("X-Outcome", "refused")], sys.exc_info())
        return [b"refused"]
    return [b"accepted"]


@check("W28", "start_response refuses at once what is not legal")
def refusing(server):
    for row in REFUSED:
        with server.connect() as connection:
            connection.request("GET", f"/checking?{row.replace(' ', '%20')}")
            try:
                response = connection.response()
            except Exception as error:
                expect(row, "refused", f"{type(error).__name__}: {error}")
                continue
            expect(row, (200, "refused"), (response.status, response.text))
            expect(f"{row}: injected header", [], response.all("x-injected"))


@check("W28", "start_response accepts what is legal")
def accepting(server):
    for row in ACCEPTED:
        response = server.get(f"/checking?{row.replace(' ', '%20')}")
        expect(row, "accepted", response.text)
    expect("value in latin-1", "caf\xe9", server.get("/checking?latin-1%20value")["x-name"])
    expect("own status", (299, "My Own"), (lambda r: (r.status, r.reason))(server.get("/checking?own%20status")))


@path
def ordered(environ, start_response):
    cookies = [("Set-Cookie", f"c{number}={number}") for number in range(3)]
    start_response("200 OK", [TEXT, ("X-B", "1"), cookies[0], ("X-A", "2"), *cookies[1:], ("x-b", "3")])
    return [b"ok"]


@check("W29", "order and repetition of headers are kept", with_validator=True)
def order(server):
    own = [
        (name.lower(), value)
        for name, value in server.get("/ordered").headers
        if name.lower() in ("x-a", "x-b", "set-cookie")
    ]
    expected = ["x-b 1", "set-cookie c0=0", "x-a 2", "set-cookie c1=1", "set-cookie c2=2", "x-b 3"]
    expect("headers", expected, [" ".join(pair) for pair in own])


@path
def own_defaults(environ, start_response):
    own = [("dATE", "Thu, 01 Jan 1970 00:00:00 GMT"), ("sERVER", "mine"), ("cONTENT-lENGTH", "2")]
    start_response("200 OK", [TEXT, *own])
    return [b"ok"]


@check("W29", "a header the application gave is not added again, whatever its case", with_validator=True)
def no_second(server):
    response = server.get("/own_defaults")
    for name in ["date", "content-length", "content-type"]:
        expect(f"{name}: how many", 1, len(response.all(name)))
    expect("Server: how many", one_of(0, 1), len(response.all("server")))
    expect("body", ("ok", True), (response.text, response.complete))


@check("W30", "Date and framing are added", with_validator=True)
def defaults(server):
    response = server.get("/hello")
    expect("Date is a date", True, response["date"] is not None and parsedate_to_datetime(response["date"]) is not None)
    expect("framing", one_of("length", "chunked"), response.framing)
    expect("hop-by-hop and framing together", False, bool(response["content-length"] and response["transfer-encoding"]))


@check("W30", "a client of HTTP/1.0 gets no chunks", with_validator=True)
def old_client(server):
    with server.connect() as connection:
        connection.request("GET", server.path("/writing"), version="1.0")
        response = connection.response()
        expect("framing", one_of("length", "close"), response.framing)
        expect("Transfer-Encoding", None, response["transfer-encoding"])
        expect("body", "written twice and returned", response.text)
        expect("the connection's end", True, connection.is_ended())
