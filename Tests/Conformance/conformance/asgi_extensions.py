"""The extensions of HTTP and WebSocket responses, by their keys."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from .asgi_site import TEXT, body, path, query_of, record, report, socket_path, start
from .asgi_websocket import dial
from .frames import Refused
from .servers import query
from .suite import Checklist, expect, one_of, require

EXTENSIONS = Checklist(
    "extensions",
    [
        *["websocket.http.response", "http.response.push", "http.response.zerocopysend", "http.response.pathsend"],
        *["tls", "http.response.early_hint", "http.response.trailers", "http.response.debug"],
    ],
)
check = EXTENSIONS.check
CONTENT = bytes(range(256)) * 5_000


@path
async def offered(scope, receive, send):
    await report(send, sorted(scope.get("extensions") or {}))


def require_offer(server, name: str) -> None:
    require("extensions offered", True, name in server.get("/offered").json())


@check("http.response.push", "not offered on HTTP/1.1")
def push(server):
    expect("offered", False, "http.response.push" in server.get("/offered").json())


@check("tls", "not offered without TLS")
def tls(server):
    expect("offered", False, "tls" in server.get("/offered").json())


@path
async def debugging(scope, receive, send):
    try:
        await send({"type": "http.response.debug", "info": {}})
        outcome = b"accepted"
    except Exception:
        outcome = b"refused"
    await start(send)
    await body(send, outcome)


@check("http.response.debug", "neither offered nor accepted")
def debug(server):
    expect("offered", False, "http.response.debug" in server.get("/offered").json())
    expect("sending it", "refused", server.get("/debugging").text)


@path
async def sending(scope, receive, send):
    """Sends a file with zerocopysend, in the way the query says."""
    how, name = query_of(scope).split("&")
    content = Path(name)
    size = content.stat().st_size
    with open(content, "rb", buffering=0) as file:
        event = {"type": "http.response.zerocopysend", "file": file}
        if how == "whole":
            await start(send, 200, (TEXT, (b"content-length", b"%d" % size)))
            await send(event)
        elif how == "chunked":
            await start(send)
            await send(event)
        elif how == "part":
            await start(send, 200, (TEXT, (b"content-length", b"100")))
            await send({**event, "offset": 50, "count": 100})
        elif how == "position":
            file.seek(size - 7)
            await start(send, 200, (TEXT, (b"content-length", b"7")))
            await send(event)
        elif how == "mixed":
            await start(send)
            await body(send, b"<", more=True)
            await send({**event, "offset": 0, "count": 3, "more_body": True})
            await body(send, b"|", more=True)
            await send({**event, "offset": 10, "count": 3, "more_body": True})
            await body(send, b">")
        file.seek(0)  # The application's file is still the application's, and open.


@check("http.response.zerocopysend", "sends a file's bytes, from a position, mixed with others")
def zerocopysend(server):
    require_offer(server, "http.response.zerocopysend")
    with TemporaryDirectory() as folder:
        name = Path(folder, "content")
        name.write_bytes(CONTENT)
        expected = {
            "whole": CONTENT,
            "chunked": CONTENT,
            "part": CONTENT[50:150],
            "position": CONTENT[-7:],
            "mixed": b"<" + CONTENT[:3] + b"|" + CONTENT[10:13] + b">",
        }
        for how, content in expected.items():
            response = server.get(f"/sending?{how}&{query(str(name)).replace('%2F', '/')}")
            expect(how, (200, True, True), (response.status, response.body == content, response.complete))


@path
async def pathsending(scope, receive, send):
    how, name = query_of(scope).split("&")
    size = os.path.getsize(name) if os.path.exists(name) else 0
    headers = (TEXT, (b"content-length", b"%d" % size)) if how == "length" else (TEXT,)
    await start(send, 200, headers)
    if how == "after":
        await body(send, b"before", more=True)
    try:
        await send({"type": "http.response.pathsend", "path": name})
        record(scope, "sent")
    except Exception:
        record(scope, "raised")
        raise


@check("http.response.pathsend", "sends the file of a path, which completes the response")
def pathsend(server):
    require_offer(server, "http.response.pathsend")
    with TemporaryDirectory() as folder:
        name = Path(folder, "content")
        for content in [CONTENT, b"", b"short"]:
            name.write_bytes(content)
            for how in ["length", "chunked"]:
                with server.connect() as connection:
                    connection.request("GET", f"/pathsending?{how}&{name}")
                    response = connection.response()
                    seen = (response.status, response.body == content, response.complete)
                    expect(f"{how}, {len(content)} bytes", (200, True, True), seen)
                    connection.request("GET", "/hello")
                    expect("the next answer", "hello", connection.response().text)
        with server.connect() as connection:
            connection.request("HEAD", f"/pathsending?length&{name}")
            expect("HEAD", "5", connection.response(to="HEAD")["content-length"])


@check("http.response.pathsend", "a missing or unreadable file, a relative path and a body before are errors")
def bad_pathsend(server):
    require_offer(server, "http.response.pathsend")
    with TemporaryDirectory() as folder:
        for name in [f"{folder}/missing", folder, "conformance/asgi.py"]:
            expect(name, 500, server.get(f"/pathsending?chunked&{name}").status)
        token = server.token()
        Path(folder, "content").write_bytes(CONTENT)
        response = server.get(f"/pathsending/{token}?after&{folder}/content")
        expect("after a body", ["raised"], server.events(token))
        expect("the client sees it", False, response.complete)


@path
async def hinting(scope, receive, send):
    await start(send)
    await send({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload", b"</b.js>; rel=preload"]})
    await send({"type": "http.response.early_hint", "links": [b"</c.js>; rel=preload"]})
    await body(send, b"hinted")


@check("http.response.early_hint", "sends 103 with its links before the response, or nothing at all")
def early_hint(server):
    require_offer(server, "http.response.early_hint")
    with server.connect() as connection:
        connection.request("GET", "/hinting")
        links = []
        while (response := connection.response()).status == 103:
            links += [link.split(";")[0] for link in response.all("link")]
        expect("links", one_of([], ["</a.css>", "</b.js>", "</c.js>"]), links)
        expect("answer", (200, "hinted"), (response.status, response.text))
        connection.request("GET", "/hinting", version="1.0")
        expect("first status for HTTP/1.0", 200, connection.response().status)


BAD_HINTS = {
    "without links": {},
    "links of text": {"links": ["</a.css>"]},
    "injection": {"links": [b"</a>\r\nx-injected: 1"]},
}


@path
async def bad_hinting(scope, receive, send):
    await start(send)
    try:
        await send({"type": "http.response.early_hint", **BAD_HINTS[query_of(scope)]})
        outcome = b"accepted"
    except Exception:
        outcome = b"refused"
    await body(send, outcome)


@check("http.response.early_hint", "what is not a hint raises")
def bad_early_hint(server):
    require_offer(server, "http.response.early_hint")
    for row in BAD_HINTS:
        expect(row, "refused", server.get(f"/bad_hinting?{row.replace(' ', '%20')}").text)


@path
async def trailing(scope, receive, send):
    await start(send, 200, (TEXT, (b"trailer", b"x-sum, x-more")), trailers=True)
    await body(send, b"with ", more=True)
    await body(send, b"trailers")
    trailer = {"type": "http.response.trailers", "headers": [(b"x-sum", b"42")], "more_trailers": True}
    await send(trailer)
    await send({**trailer, "headers": [(b"x-more", b"43")], "more_trailers": False})
    record(scope, "sent")


@check("http.response.trailers", "follow the body where the client takes them")
def trailers(server):
    require_offer(server, "http.response.trailers")
    for fields, expected in [(["TE: trailers"], [("x-sum", "42"), ("x-more", "43")]), ([], [])]:
        token = server.token()
        with server.connect() as connection:
            connection.request("GET", f"/trailing/{token}", *fields)
            response = connection.response()
            expect(f"{fields}: body", ("with trailers", True), (response.text, response.complete))
            expect(f"{fields}: framing", "chunked", response.framing)
            got = [(name.lower(), value) for name, value in response.trailers]
            expect(f"{fields}: trailers", expected, got)
            server.await_event(token, "sent")
            connection.request("GET", "/hello")
            expect(f"{fields}: the next answer", "hello", connection.response().text)
    with server.connect() as connection:
        connection.request("GET", "/trailing", "TE: trailers", version="1.0")
        expect("HTTP/1.0", "with trailers", connection.response().text)


@path
async def missing_trailers(scope, receive, send):
    await start(send, 200, (TEXT,), trailers=True)
    await body(send, b"and then")


@check("http.response.trailers", "a response that announced them is not complete without")
def promised(server):
    require_offer(server, "http.response.trailers")
    expect("complete", False, server.get("/missing_trailers", "TE: trailers").complete)


@socket_path
async def ws_denial(scope, receive, send):
    """Answers the handshake with a response of its own."""
    await receive()
    how = query_of(scope)
    await send({
        "type": "websocket.http.response.start", "status": 401,
        "headers": [(b"www-authenticate", b"Basic"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")],
    })  # fmt: skip
    if how == "streamed":
        for _ in range(20):
            await send({"type": "websocket.http.response.body", "body": b"y" * 50_000, "more_body": True})
        await send({"type": "websocket.http.response.body"})
        return
    if how == "mixed":
        try:
            await send({"type": "websocket.accept"})
            record(scope, "accepted")
        except Exception:
            record(scope, "refused")
    await send({"type": "websocket.http.response.body", "body": b"not you"})


@check("websocket.http.response", "an answer of the application's own instead of accept")
def denial(server):
    for how, expected in [("short", b"not you"), ("streamed", b"y" * 1_000_000), ("mixed", b"not you")]:
        token = server.token()
        with dial(server, f"/ws_denial/{token}?{how}") as client:
            try:
                client.opened()
                expect(how, "a refusal", "101")
            except Refused as error:
                response = error.response
                seen = (response.status, response.body == expected, response.complete)
                expect(f"{how}: answer", (401, True, True), seen)
                headers = (response["www-authenticate"], response.all("set-cookie"))
                expect(f"{how}: headers", ("Basic", ["a=1", "b=2"]), headers)
                expect(f"{how}: the connection's end", True, client.connection.is_ended())
        if how == "mixed":
            expect("accept afterwards", ["refused"], server.events(token))
