"""H1 to H15: HTTP over ASGI."""

import asyncio
from tempfile import TemporaryDirectory

from .asgi_core import plain
from .asgi_site import TEXT, body, path, read_body, record, report, start, text, wait
from .servers import Server
from .suite import Checklist, eventually, expect, one_of, require
from .wire import NoResponse, chunk

HTTP = Checklist("http", [f"H{number}" for number in range(1, 16)])
check = HTTP.check


def scope(server: Server, path: str = "/scope", *fields: str, **options) -> dict:
    return server.get(path, *fields, **options).json()["scope"]


@check("H1", "http_version is 1.0 or 1.1")
def version(server):
    for version in ["1.0", "1.1"]:
        expect(version, version, scope(server, version=version)["http_version"])


@check("H2", "method, scheme, path, raw_path, query_string and root_path")
def target(server):
    for method in ["GET", "POST", "PROPFIND"]:
        fields = ["Content-Length: 0"] if method == "POST" else []
        expect("method", method, server.ask(method, "/scope", *fields).json()["scope"]["method"])
    for sent, decoded in {
        "/scope": "/scope",
        "/scope/": "/scope/",
        "/scope/caf%C3%A9": "/scope/caf\xe9",
        "/scope/%E2%98%83": "/scope/\N{SNOWMAN}",
        "/scope/a%20b+c": "/scope/a b+c",
        "/scope/a%2Fb": "/scope/a/b",
        "/scope/a%3Fb;c=%25": "/scope/a?b;c=%",
    }.items():
        seen = scope(server, f"{sent}?a=%20&b=?/")
        expect(f"path of {sent}", decoded, seen["path"])
        expect(f"raw_path of {sent}", f"b:{sent}", seen.get("raw_path"))
        expect(f"query_string of {sent}", "b:a=%20&b=?/", seen["query_string"])
    seen = scope(server)
    expect("query_string without one", "b:", seen["query_string"])
    expect("scheme", "http", seen["scheme"])
    expect("root_path", "", seen.get("root_path", ""))


@check("H2", "a path that is not UTF-8 is answered all the same")
def not_unicode(server):
    expect("status", one_of(200, 400), server.get("/scope/%FF%FE").status)
    expect("the next request", 200, server.get("/scope").status)


@check("H3", "headers are pairs of bytes, lower-case, in order, with repetitions")
def headers(server):
    fields = ["X-B: 1", "x-a: 2", "X-B:  3 ", "Cookie: a=1", "X-Bytes: caf\xe9", "X-Empty:"]
    seen = scope(server, "/scope", *fields)["headers"]
    own = [pair for pair in seen if pair[0][2:] in ("x-a", "x-b", "cookie", "x-bytes", "x-empty")]
    expected = [("x-b", "1"), ("x-a", "2"), ("x-b", "3"), ("cookie", "a=1"), ("x-bytes", "caf\xe9"), ("x-empty", "")]
    expect("headers", [[f"b:{name}", f"b:{value}"] for name, value in expected], own)
    expect("host", ["b:localhost"], [value for name, value in seen if name == "b:host"])


@path
async def addresses(scope, receive, send):
    kinds = {key: [type(part).__name__ for part in scope[key]] for key in ("client", "server") if scope.get(key)}
    await report(send, {"client": plain(scope.get("client")), "server": plain(scope.get("server")), "types": kinds})


@check("H4", "client and server are a str and an int")
def client_and_server(server):
    with server.connect() as connection:
        own = connection.socket.getsockname()
        connection.request("GET", "/addresses")
        seen = connection.response().json()
    expect("client", list(own), seen["client"])
    expect("server", list(server.address), seen["server"])


@check("H4", "on a unix socket server is its path and None, client is None", needs=("portico",), alone=True)
def unix_addresses(server):
    with TemporaryDirectory() as folder, server.another(listen=f"unix:{folder}/socket") as local:
        seen = local.get("/addresses").json()
        expect("client", None, seen["client"])
        expect("server", [f"{folder}/socket", None], seen["server"])


@path
async def state(scope, receive, send):
    """Sets a key of its state, and adds to a list that it has from lifespan."""
    if "state" not in scope:
        await report(send, None)
        return
    seen = {"key": scope["state"].get("key"), "own": scope["state"].get("own")}
    scope["state"]["own"] = scope["state"]["key"] = "of a request"
    scope["state"]["shared"].append(1)
    await report(send, {**seen, "shared": len(scope["state"]["shared"])})


@check("H5", "state is a shallow copy for each request")
def copied_state(server):
    first, second = server.get("/state").json(), server.get("/state").json()
    require("state is offered", True, first is not None)
    for seen in [first, second]:
        expect("keys", ("from lifespan", None), (seen["key"], seen["own"]))
    expect("a list within is shared", first["shared"] + 1, second["shared"])


@path
async def echo(scope, receive, send):
    """How the body came."""
    sizes, types = [], set()
    data = b""
    while True:
        event = await receive()
        types.add(event["type"])
        sizes.append(len(event.get("body", b"")))
        data += event.get("body", b"")
        if not event.get("more_body", False):
            break
    seen = {"most": max(sizes), "size": sum(sizes), "types": sorted(types), "more": event.get("more_body", False)}
    await report(send, {**seen, "body": data[:100].decode("latin-1")})


@check("H6", "http.request events carry the body, the last says so")
def request_body(server):
    seen = server.get("/echo").json()
    expect("without a body", (0, ["http.request"], False), (seen["size"], seen["types"], seen["more"]))
    seen = server.post("/echo", b"hello").json()
    expect("a short body", ("hello", ["http.request"]), (seen["body"], seen["types"]))
    chunked = b"5;x=y\r\nhello\r\n" + chunk(b" ") + chunk(b"world") + b"0\r\nX-Trailer: t\r\n\r\n"
    seen = server.post("/echo", chunked, "Transfer-Encoding: chunked").json()
    expect("a chunked body", ("hello world", 11), (seen["body"], seen["size"]))
    seen = server.post("/echo", b"z" * 4_000_000).json()
    expect("a large body", 4_000_000, seen["size"])
    expect("the largest of its pieces is not the whole", True, seen["most"] < 4_000_000)


@path
async def dialog(scope, receive, send):
    """Answers each piece of the body as soon as it has come."""
    await start(send)
    await body(send, b"go", more=True)
    while True:
        event = await receive()
        if event.get("body"):
            await body(send, event["body"].upper(), more=True)
        if not event.get("more_body", False):
            break
    await body(send)


@check("H6", "pieces of the body are received as they arrive, while the response is sent")
def conversation(server):
    with server.connect() as connection:
        connection.request("POST", "/dialog", "Transfer-Encoding: chunked")
        connection.head()
        require("first piece", b"go", connection.chunk())
        for piece in [b"ab", b"cd"]:
            connection.send(chunk(piece))
            expect("answer", piece.upper(), connection.chunk())
        connection.send(chunk(b""))
        expect("end", b"", connection.chunk())


@path
async def afterwards(scope, receive, send):
    """What receive() says once the response is complete."""
    await text(send, b"complete")
    seen = []
    for _ in range(4):
        event = await asyncio.wait_for(receive(), 10)
        seen.append(event["type"])
    record(scope, seen)


@check("H7", "after the response receive() says http.disconnect, again and again")
def disconnect_afterwards(server):
    token = server.token()
    with server.connect() as connection:
        connection.send(
            f"GET /afterwards/{token} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            + b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nnext"
        )
        expect("answer", "complete", connection.response().text)
        expect("the next request's body", "next", connection.response().json()["body"])
        seen = eventually("receive() returns", lambda: server.events(token))[0]
        # The body of a GET that nobody asked for may still come first.
        seen = seen[1:] if seen[0] == "http.request" else seen
        expect("events", {"http.disconnect"}, set(seen))


@path
async def waiting(scope, receive, send):
    """Takes the body, and waits for the end."""
    await read_body(receive)
    record(scope, "waiting")
    seen = [(await asyncio.wait_for(receive(), 20))["type"] for _ in range(3)]
    record(scope, seen)


@check("H7", "a client that leaves is noticed while the application waits")
def client_left(server):
    for leave in ["close", "reset"]:
        token = server.token()
        connection = server.connect()
        connection.request("GET", f"/waiting/{token}")
        server.await_event(token, "waiting")
        getattr(connection, leave)()
        server.await_event(token, ["http.disconnect"] * 3)


@path
async def cut_body(scope, receive, send):
    seen = []
    record(scope, "begun")
    while not seen or seen[-1] not in ("http.disconnect", "end"):
        event = await asyncio.wait_for(receive(), 20)
        seen.append(event["type"])
        if event["type"] == "http.request" and not event.get("more_body", False):
            seen.append("end")
    record(scope, seen[-1])


@check("H8", "a body cut short ends with http.disconnect")
def cut_short(server):
    for framing, sent in [
        ("Content-Length: 100", b"0123456789"),
        ("Transfer-Encoding: chunked", chunk(b"0123456789")),
        ("Transfer-Encoding: chunked", b"64\r\n0123456789"),
    ]:
        for leave in ["finish_sending", "close", "reset"]:
            token = server.token()
            connection = server.connect()
            connection.request("POST", f"/cut_body/{token}", framing)
            connection.send(sent)
            server.await_event(token, "begun")
            getattr(connection, leave)()
            seen = eventually("the body ends", lambda: server.events(token)[1:])
            expect(f"{framing}, {len(sent)} bytes, then {leave}", ["http.disconnect"], seen)
            connection.close()


@path
async def started(scope, receive, send):
    await start(send, 201, (TEXT, (b"x-own", b"1"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")))
    await body(send, b"created")


@check("H9", "http.response.start carries status and headers, in order")
def status_and_headers(server):
    response = server.get("/started")
    expect("status", (201, "created"), (response.status, response.text))
    expect("headers", ("1", ["a=1", "b=2"]), (response["x-own"], response.all("set-cookie")))


@path
async def changed_mind(scope, receive, send):
    await start(send)
    raise RuntimeError("after the start, before the body")


@check("H9", "an error between start and body is seen by the client")
def error_after_start(server):
    try:
        response = server.get("/changed_mind")
    except NoResponse:
        return
    expect("status 500, or a cut", True, response.status == 500 or not response.complete)


@path
async def own_framing(scope, receive, send):
    """Frames by itself, which is the server's business."""
    await start(send, 200, (TEXT, (b"Transfer-Encoding", scope["query_string"])))
    await body(send, b"one", more=True)
    await body(send, b"two")


@check("H10", "a Transfer-Encoding of the application is ignored")
def ignored_framing(server):
    for coding in ["chunked", "gzip,chunked", "identity"]:
        response = server.get(f"/own_framing?{coding}")
        expect(f"{coding}: how many", one_of([], ["chunked"]), response.all("transfer-encoding"))
        expect(f"{coding}: body", ("onetwo", True), (response.text, response.complete))


@path
async def stepwise(scope, receive, send):
    await start(send)
    await body(send, b"first", more=True)
    await body(send, b"", more=True)
    record(scope, "sent")
    await wait(scope)
    await body(send, b"second", more=True)
    await body(send)


@check("H11", "a piece is on its way when send returns; empty pieces end nothing")
def flushed(server):
    token = server.token()
    with server.connect() as connection:
        connection.request("GET", f"/stepwise/{token}")
        require("framing", "chunked", connection.head()["transfer-encoding"])
        expect("first piece", b"first", connection.chunk())
        server.await_event(token, "sent")
        server.open(token)
        expect("second piece", b"second", connection.chunk())
        expect("end", b"", connection.chunk())
        connection.request("GET", "/hello")
        expect("the next answer", "hello", connection.response().text)


@path
async def lengthy(scope, receive, send):
    """The given Content-Length, and the given number of bytes, one a piece."""
    length, count = scope["query_string"].decode().split("-")
    try:
        await start(send, 200, (TEXT, (b"content-length", length.encode())))
        for index in range(int(count)):
            await body(send, b"%d" % (index % 10), more=index + 1 < int(count))
        record(scope, "sent")
    except Exception as error:
        record(scope, f"raised {type(error).__name__}")
        raise


@check("H11", "HEAD, 204 and 304 carry no body")
def no_body(server):
    for method, status in [("HEAD", 200), ("GET", 204), ("GET", 304), ("HEAD", 404)]:
        with server.connect() as connection:
            connection.request(method, f"/bodiless?{status}")
            response = connection.response(to=method)
            expect(f"{method} {status}: status", status, response.status)
            connection.request("GET", "/hello")
            try:
                expect(f"{method} {status}: the next answer", "hello", connection.response().text)
            except (NoResponse, ConnectionError):
                pass  # It may close, but not send a body.


@path
async def bodiless(scope, receive, send):
    await start(send, int(scope["query_string"]), ())
    await body(send, b"ab", more=True)
    await body(send, b"cd")


@path
async def verbose(scope, receive, send):
    """Goes on after the end."""
    await text(send, b"complete")
    for event in [
        {"type": "http.response.body", "body": b"more", "more_body": True},
        {"type": "http.response.body", "body": b"more"},
    ]:
        try:
            await send(event)
            record(scope, "ignored")
        except OSError:
            record(scope, "ignored")  # The connection may be taken for closed.
        except Exception as error:
            record(scope, f"raised {type(error).__name__}")


@check("H12", "what comes after completion is ignored")
def after_completion(server):
    token = server.token()
    with server.connect() as connection:
        connection.request("GET", f"/verbose/{token}")
        expect("body", "complete", connection.response().text)
        connection.request("GET", "/hello")
        expect("the next answer", "hello", connection.response().text)
    expect("events", ["ignored"] * 2, eventually("two", lambda: len(found := server.events(token)) == 2 and found))


@path
async def double_start(scope, receive, send):
    await start(send, 200, (TEXT, (b"x-first", b"1")))
    if scope["query_string"]:
        await body(send, b"part", more=True)
    try:
        await start(send, 201, (TEXT, (b"x-second", b"2")))
        record(scope, "accepted")
    except Exception:
        record(scope, "raised")
    await body(send, b"end")


@check("H12", "a second http.response.start is an error")
def second_start(server):
    for query, expected in [("", "end"), ("later", "partend")]:
        token = server.token()
        response = server.get(f"/double_start/{token}?{query}")
        expect("the second", ["raised"], server.events(token))
        expect("answer", (200, expected, None), (response.status, response.text, response["x-second"]))


@check("H13", "send on a closed connection raises a subclass of OSError")
def closed_connection(server):
    for leave in ["close", "reset"]:
        token = server.token()
        connection = server.connect(receive_buffer=4096)
        connection.request("GET", f"/endless/{token}")
        connection.head()
        getattr(connection, leave)()
        seen = eventually("the application notices", lambda: server.events(token))
        expect(f"after {leave} (is OSError, is a subclass)", ["raised True True"], seen)


@path
async def late_sender(scope, receive, send):
    """Waits for the disconnect, and sends then."""
    await read_body(receive)
    record(scope, "waiting")
    while (await receive())["type"] != "http.disconnect":
        pass
    try:
        await text(send)
        record(scope, "sent")
    except OSError:
        record(scope, "raised")
        raise


@check("H13", "send after http.disconnect raises, and the error is not logged")
def after_disconnect(server):
    before = len(server.log())
    token = server.token()
    connection = server.connect()
    connection.request("GET", f"/late_sender/{token}")
    server.await_event(token, "waiting")
    connection.close()
    seen = eventually("the application sends", lambda: len(found := server.events(token)) == 2 and found)
    expect("send", ["waiting", "raised"], seen)
    server.get("/hello")
    expect("a traceback in the log", False, "Traceback" in server.log()[before:])


@path
async def silent_leaver(scope, receive, send):
    """Waits for the disconnect, and returns."""
    await read_body(receive)
    record(scope, "waiting")
    while (await receive())["type"] != "http.disconnect":
        pass


@check("H13", "a client that has closed its half is let go once the application has ended for it, and that is no error")
def half_closed(server):
    before = len(server.log())
    for path in ["late_sender", "silent_leaver"]:
        token = server.token()
        with server.connect() as connection:
            connection.request("GET", f"/{path}/{token}")
            server.await_event(token, "waiting")
            connection.finish_sending()
            expect(f"what comes after {path}", b"", connection.rest())
    expect("an error in the log", False, " error " in server.log()[before:].lower())


@check("H14", "a body longer than Content-Length does not reach the client")
def too_long(server):
    token = server.token()
    with server.connect() as connection:
        connection.request("GET", f"/lengthy/{token}?5-9")
        response = connection.response()
        expect("body", "01234", response.text)
        connection.request("GET", "/hello")
        try:
            expect("the next answer", "hello", connection.response().text)
        except (NoResponse, ConnectionError):
            pass  # The server chose to close.
    expect("send raised", True, eventually("the end", lambda: server.events(token))[0].startswith("raised"))


@check("H14", "a body shorter than Content-Length is a visible cut")
def too_short(server):
    token = server.token()
    response = server.get(f"/lengthy/{token}?9-5")
    expect("answer", ("01234", False), (response.text, response.complete))


@path
async def unfinished(scope, receive, send):
    """Returns too early."""
    if scope["query_string"] != b"silent":
        await start(send)
    if scope["query_string"] == b"part":
        await body(send, b"part", more=True)


@check("H15", "an application that returns without an answer gets 500")
def no_answer(server):
    before = len(server.log())
    response = server.get("/unfinished?silent")
    expect("status", (500, True), (response.status, response.complete))
    eventually("the log says something", lambda: len(server.log()) > before)


@check("H15", "an application that returns within its response cuts it, and is logged")
def incomplete(server):
    before = len(server.log())
    response = server.get("/unfinished?part")
    expect("answer", (200, "part", False), (response.status, response.text, response.complete))
    eventually("the log says something", lambda: len(server.log()) > before)
    try:
        response = server.get("/unfinished?started")
        expect("status 500, or a cut", True, response.status == 500 or not response.complete)
    except NoResponse:
        pass
