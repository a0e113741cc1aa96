"""S1 to S11: WebSockets over ASGI."""

import asyncio
import json
import signal

from .asgi_core import plain, strangers
from .asgi_site import record, socket_path, wait
from .frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Refused, WebSocket
from .frames import close_data, deflated, frame, handshake, inflated
from .servers import Server
from .suite import Checklist, eventually, expect, one_of, require

WEBSOCKET = Checklist("websocket", [f"S{number}" for number in range(1, 12)])
check = WEBSOCKET.check


def dial(server: Server, path: str, *fields: str, **options) -> WebSocket:
    """Sends the handshake, and waits for nothing."""
    return WebSocket(server.connect(), path, *fields, **options)


def refusal(server: Server, path: str, *fields: str) -> int:
    """The status of a handshake that is refused."""
    with dial(server, path, *fields) as client:
        try:
            client.opened()
        except Refused as error:
            return error.response.status
        return 101


@socket_path
async def ws_scope(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    seen = {key: plain(value) for key, value in scope.items() if key not in ("app", "state")}
    await send({"type": "websocket.send", "text": json.dumps({"scope": seen, "state": "state" in scope})})
    await send({"type": "websocket.close"})


@check("S1", "scope of a WebSocket")
def scope(server):
    path = "/ws_scope/caf%C3%A9"
    with dial(server, f"{path}?a=%20", "Sec-WebSocket-Protocol: chat, echo", "X-Own: 1", "X-Own: 2") as client:
        own = client.connection.socket.getsockname()
        seen = json.loads(client.opened().message())
    require("state", True, seen["state"])
    scope = seen["scope"]
    expected = {
        "type": "websocket", "scheme": "ws", "http_version": "1.1", "subprotocols": ["chat", "echo"],
        "path": "/ws_scope/caf\xe9", "raw_path": f"b:{path}", "query_string": "b:a=%20", "root_path": "",
        "client": list(own), "server": list(server.address),
    }  # fmt: skip
    for key, value in expected.items():
        expect(key, value, scope.get(key))
    expect("asgi.version", "3.0", scope["asgi"]["version"])
    if server.is_portico:
        expect("asgi.spec_version", "2.5", scope["asgi"]["spec_version"])
        expect("extensions", {"websocket.http.response": {}}, scope.get("extensions"))
    expect("headers", ["b:1", "b:2"], [value for name, value in scope["headers"] if name == "b:x-own"])
    expect("method", None, scope.get("method"))
    with dial(server, "/ws_scope") as client:
        expect("subprotocols without any", [], json.loads(client.opened().message())["scope"].get("subprotocols"))


@socket_path
async def ws_slow(scope, receive, send):
    record(scope, (await receive())["type"])
    await wait(scope)
    await send({"type": "websocket.accept"})
    record(scope, "accepted")
    await receive()


@check("S2", "websocket.connect comes during the handshake, which waits for the application")
def handshake_waits(server):
    token = server.token()
    with dial(server, f"/ws_slow/{token}") as client:
        server.await_event(token, "websocket.connect")
        expect("silence until the application answers", True, client.connection.is_silent())
        server.open(token)
        client.opened()


@socket_path
async def ws_accept(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "echo", "headers": [(b"x-own", b"1"), (b"x-own", b"2")]})
    await receive()


@check("S3", "websocket.accept chooses a subprotocol and adds headers")
def accepted(server):
    with dial(server, "/ws_accept", "Sec-WebSocket-Protocol: chat, echo") as client:
        client.opened()
        expect("subprotocol", ["echo"], client.response.all("sec-websocket-protocol"))
        expect("headers", ["1", "2"], client.response.all("x-own"))
        expect("Upgrade", "websocket", (client.response["upgrade"] or "").lower())
        expect("Connection", "upgrade", (client.response["connection"] or "").lower())
    with dial(server, "/ws_plain") as client:
        expect("subprotocol without a choice", [], client.opened().response.all("sec-websocket-protocol"))


@socket_path
async def ws_plain(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


BAD_ACCEPTS = {
    "subprotocol in headers": {"headers": [(b"sec-websocket-protocol", b"echo")]},
    "subprotocol of bytes": {"subprotocol": b"echo"},
    "headers of text": {"headers": [("x-own", "1")]},
    "value with CR LF": {"headers": [(b"x-own", b"1\r\nx-injected: 1")]},
    "subprotocol with CR LF": {"subprotocol": "echo\r\nx-injected: 1"},
}


@socket_path
async def ws_bad_accept(scope, receive, send):
    row = scope["query_string"].decode().replace("%20", " ")
    await receive()
    try:
        await send({"type": "websocket.accept", **BAD_ACCEPTS[row]})
        outcome = "accepted"
    except Exception:
        outcome = "refused"
        await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": outcome})


@check("S3", "what may not be in websocket.accept raises")
def bad_accept(server):
    for row in BAD_ACCEPTS:
        with dial(server, f"/ws_bad_accept?{row.replace(' ', '%20')}", "Sec-WebSocket-Protocol: echo") as client:
            try:
                expect(row, "refused", client.opened().message())
                expect(f"{row}: injected", None, client.response["x-injected"])
            except Exception as error:
                expect(row, "refused", f"{type(error).__name__} {error}")


@socket_path
async def ws_deny(scope, receive, send):
    """Says no in the way of the query."""
    how = scope["query_string"].decode()
    if how == "at%20once":
        await send({"type": "websocket.close"})
        return
    await receive()
    if how == "raise":
        raise RuntimeError("no socket today")
    if how == "close":
        await send({"type": "websocket.close", "code": 4001, "reason": "no"})
        record(scope, (await receive())["type"])


@check("S4", "close before accept is 403, an error 500")
def denied(server):
    expect("close", 403, refusal(server, "/ws_deny?close"))
    expect("an error", 500, refusal(server, "/ws_deny?raise"))
    expect("an end without a word", one_of(500, 403) if not server.is_portico else 500, refusal(server, "/ws_deny"))
    with dial(server, "/ws_deny?close") as client:
        try:
            client.opened()
        except Refused as error:
            expect("the answer is whole", True, error.response.complete)


@socket_path
async def ws_echo(scope, receive, send):
    """Sends back what it gets, and records how it ended."""
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        if strangers(event) or (event.get("text") is None) == (event.get("bytes") is None):
            await send({"type": "websocket.send", "text": f"a strange event: {event!r}"})
        elif event.get("text") is not None:
            await send({"type": "websocket.send", "text": event["text"]})
        else:
            await send({"type": "websocket.send", "bytes": event["bytes"]})
    record(scope, {key: value for key, value in event.items() if key in ("type", "code", "reason")})


@check("S5", "messages arrive as text or bytes, whatever their size")
def messages(server):
    with dial(server, "/ws_echo").opened() as client:
        for message in ["", "hello", "caf\xe9 \N{SNOWMAN} \U0001f40d", "x" * 125, "y" * 126, "z" * 65_536]:
            client.send(TEXT, message)
            expect(f"text of {len(message)}", message, client.message())
        for size in [0, 1, 125, 126, 65_535, 65_536, 500_000]:
            client.send(BINARY, b"\xff" * size)
            expect(f"{size} bytes", b"\xff" * size, client.message())


@check("S5", "fragments are put together, control frames may come between them")
def fragments(server):
    with dial(server, "/ws_echo").opened() as client:
        snowman = "\N{SNOWMAN}".encode()
        client.send(TEXT, b"one " + snowman[:1], final=False)
        client.send(PING, b"between")
        client.send(CONTINUATION, snowman[1:2], final=False)
        client.send(CONTINUATION, snowman[2:] + b" two")
        pong = client.receive()
        expect("pong", (PONG, b"between"), (pong.opcode, pong.data))
        expect("message", "one \N{SNOWMAN} two", client.message())
        client.send(BINARY, b"", final=False)
        client.send(CONTINUATION, b"ab", final=False)
        client.send(CONTINUATION, b"")
        expect("bytes", b"ab", client.message())
        # One byte at a time, as a slow network does.
        for byte in frame(TEXT, b"slowly"):
            client.connection.send(bytes([byte]))
        expect("byte by byte", "slowly", client.message())


@check("S5", "pings are answered with their data, pongs are not")
def pings(server):
    with dial(server, "/ws_echo").opened() as client:
        client.send(PONG, b"unasked")
        for data in [b"", b"p" * 125]:
            client.send(PING, data)
            got = client.receive()
            expect(f"pong to {len(data)} bytes", (PONG, data), (got.opcode, got.data))


VIOLATIONS = {
    "text that is not UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "half a character": (frame(TEXT, b"\xe2\x98"), 1007),
    "a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "half a character in fragments": (frame(TEXT, b"\xe2", final=False) + frame(CONTINUATION, b"x"), 1007),
    "a frame without a mask": (frame(TEXT, b"hello", masked=False), 1002),
    "a reserved bit": (frame(TEXT, b"hello", reserved=2), 1002),
    "compression nobody agreed on": (frame(TEXT, b"hello", reserved=4), 1002),
    "an unknown opcode": (frame(3, b""), 1002),
    "an unknown control opcode": (frame(11, b""), 1002),
    "a long ping": (frame(PING, b"x" * 126), 1002),
    "a ping in fragments": (frame(PING, b"x", final=False), 1002),
    "a continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "a message within a message": (frame(TEXT, b"a", final=False) + frame(TEXT, b"b"), 1002),
    "a close frame of one byte": (frame(CLOSE, b"\x03"), 1002),
    "a close code below 1000": (frame(CLOSE, close_data(999)), 1002),
    "the close code 1005": (frame(CLOSE, close_data(1005)), 1002),
    "the close code 1006": (frame(CLOSE, close_data(1006)), 1002),
    "the close code 2999": (frame(CLOSE, close_data(2999)), 1002),
    "a reason that is not UTF-8": (frame(CLOSE, b"\x03\xe8\xff"), one_of(1002, 1007)),
}


@check("S5", "what RFC 6455 forbids ends the connection with the right code")
def violations(server):
    for name, (sent, code) in VIOLATIONS.items():
        token = server.token()
        with dial(server, f"/ws_echo/{token}").opened() as client:
            client.connection.send(sent)
            try:
                expect(name, code, client.until_close()[0])
            except (EOFError, ConnectionError) as error:
                expect(name, code, f"{type(error).__name__} {error}")
        eventually(f"{name}: the application is told", lambda: server.events(token))


@check("S5", "a message above the limit is 1009")
def too_large(server):
    with dial(server, "/ws_echo").opened() as client:
        try:
            for _ in range(80):  # One message of 80 MiB, unless somebody says stop.
                client.send(TEXT if _ == 0 else CONTINUATION, b"x" * (1 << 20), final=False)
        except OSError:
            pass
        try:
            expect("code", 1009, client.until_close()[0])
        except (EOFError, ConnectionError) as error:
            expect("code", 1009, f"{type(error).__name__} {error}")


@check("S5", "permessage-deflate where the client offers it")
def compression(server):
    with dial(server, "/ws_echo", "Sec-WebSocket-Extensions: permessage-deflate") as client:
        client.opened()
        extension = client.response["sec-websocket-extensions"] or ""
        require("extension", "permessage-deflate", extension.split(";")[0])
        client.send(TEXT, deflated(b"squeeze " * 100), reserved=4)
        got = client.receive()
        expect("compressed", 4, got.reserved)
        expect("answer", b"squeeze " * 100, inflated(got.data) if got.reserved else got.data)
        client.send(TEXT, b"plain")
        got = client.receive()
        if not got.reserved:
            expect("a message that is not compressed", b"plain", got.data)
        expect("closing", 1000, client.close()[0])


@check("S5", "no compression where the client does not ask for it")
def no_compression(server):
    with dial(server, "/ws_echo").opened() as client:
        expect("extension", None, client.response["sec-websocket-extensions"])


@check("S5", "a message that inflates beyond the limit is 1009")
def bomb(server):
    with dial(server, "/ws_echo", "Sec-WebSocket-Extensions: permessage-deflate").opened() as client:
        require("extension", True, bool(client.response["sec-websocket-extensions"]))
        client.send(BINARY, deflated(bytes(200 << 20)), reserved=4)
        try:
            expect("code", 1009, client.until_close()[0])
        except (EOFError, ConnectionError) as error:
            expect("code", 1009, f"{type(error).__name__} {error}")


def expect_handshake(server: Server, name: str, data: bytes, status: object, header: tuple | None = None) -> None:
    with server.connect() as connection:
        connection.send(data)
        response = connection.response()
        expect(name, status, response.status)
        if header:
            expect(f"{name}: {header[0]}", header[1], response[header[0]])


@check("S2", "a handshake that is not one is refused")
def bad_handshakes(server):
    good = handshake("/ws_echo")
    expect_handshake(server, "good", good, 101)
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    expect_handshake(server, "without a key", good.replace(key, b""), 400)
    expect_handshake(server, "short key", good.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ="), 400)
    old = good.replace(b"Version: 13", b"Version: 8")
    expect_handshake(server, "version 8", old, one_of(426, 400), ("sec-websocket-version", "13"))


BAD_SENDS = {
    "neither": {"type": "websocket.send"},
    "both": {"type": "websocket.send", "text": "a", "bytes": b"b"},
    "both None": {"type": "websocket.send", "text": None, "bytes": None},
    "text of bytes": {"type": "websocket.send", "text": b"a"},
    "bytes of text": {"type": "websocket.send", "bytes": "a"},
    "number": {"type": "websocket.send", "text": 5},
    "unknown type": {"type": "websocket.nonsense"},
    "type of HTTP": {"type": "http.response.start", "status": 200},
    "second accept": {"type": "websocket.accept"},
    "close code of text": {"type": "websocket.close", "code": "1000"},
}


@socket_path
async def ws_bad_send(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    try:
        await send(BAD_SENDS[scope["query_string"].decode().replace("%20", " ")])
        outcome = "accepted"
    except Exception:
        outcome = "refused"
    await send({"type": "websocket.send", "text": outcome, "bytes": None})


@check("S6", "websocket.send has exactly one of bytes and text")
def one_payload(server):
    for row in BAD_SENDS:
        with dial(server, f"/ws_bad_send?{row.replace(' ', '%20')}").opened() as client:
            try:
                expect(row, "refused", client.message())
            except Exception as error:
                expect(row, "refused", f"{type(error).__name__} {error}")


@socket_path
async def ws_both_keys(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept", "subprotocol": None})
    await send({"type": "websocket.send", "text": None, "bytes": b"b"})
    await send({"type": "websocket.send", "text": "t", "bytes": None})
    await send({"type": "websocket.send", "text": ""})


@check("S6", "the other of the two may be None")
def one_none(server):
    with dial(server, "/ws_both_keys").opened() as client:
        expect("messages", [b"b", "t", ""], [client.message() for _ in range(3)])


CLOSES = {
    "default": ({}, (1000, "")),
    "code": ({"code": 4321}, (4321, "")),
    "code and reason": ({"code": 1001, "reason": "going \N{SNOWMAN}"}, (1001, "going \N{SNOWMAN}")),
    "reason None": ({"reason": None}, (1000, "")),
}


@socket_path
async def ws_closing(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", **CLOSES[scope["query_string"].decode().replace("%20", " ")][0]})
    record(scope, "closed")
    event = await receive()
    record(scope, event["type"])


@check("S7", "websocket.close has a code, 1000 by default, and a reason")
def closing(server):
    for row, (_, expected) in CLOSES.items():
        with dial(server, f"/ws_closing?{row.replace(' ', '%20')}").opened() as client:
            expect(row, expected, client.until_close())
            client.send(CLOSE, close_data(expected[0]))
            expect(f"{row}: the connection's end", True, client.connection.is_ended())


@socket_path
async def ws_after_close(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close"})
    try:
        await send({"type": "websocket.send", "text": "after"})
        record(scope, "sent")
    except Exception:
        record(scope, "raised")


@check("S7", "nothing is sent after the close")
def after_close(server):
    token = server.token()
    with dial(server, f"/ws_after_close/{token}").opened() as client:
        first = client.receive()
        expect("first frame", CLOSE, first.opcode)
        client.send(CLOSE, first.data)
        expect("the rest", b"", client.connection.rest())
    server.await_event(token, eventually("the send", lambda: server.events(token))[0])


@socket_path
async def ws_disconnect(scope, receive, send):
    """Records what receive() says at the end, again and again."""
    await receive()
    await send({"type": "websocket.accept"})
    record(scope, "accepted")
    seen = []
    while len(seen) < 3:
        try:
            event = await asyncio.wait_for(receive(), 5 if seen else 20)
        except Exception as error:
            event = {"code": type(error).__name__, "type": "websocket.disconnect"}
        if event["type"] == "websocket.disconnect":
            seen.append([event.get("code"), event.get("reason") or ""])
    record(scope, seen)


@check("S8", "websocket.disconnect has the client's code, again and again")
def disconnected(server):
    for name, sent, expected in [
        ("1000", frame(CLOSE, close_data(1000)), [1000, ""]),
        ("code and reason", frame(CLOSE, close_data(4000, "caf\xe9")), [4000, "caf\xe9"]),
        ("no code", frame(CLOSE), [1005, ""]),
    ]:
        token = server.token()
        with dial(server, f"/ws_disconnect/{token}").opened() as client:
            client.connection.send(sent)
            answer = client.receive()
            expect(f"{name}: opcode of the answer", CLOSE, answer.opcode)
            expect(f"{name}: code of the answer", one_of(expected[0], 1000, None), answer.code)
            expect(f"{name}: the connection's end", True, client.connection.is_ended())
        seen = eventually("the application is told", lambda: server.events(token)[1:])[0]
        expect(name, [expected] * 3, seen)


@check("S8", "a connection that is lost has the code 1006")
def lost(server):
    for leave in ["close", "reset"]:
        token = server.token()
        client = dial(server, f"/ws_disconnect/{token}").opened()
        server.await_event(token, "accepted")
        getattr(client.connection, leave)()
        seen = eventually("the application is told", lambda: server.events(token)[1:])[0]
        expect(f"{leave}: codes", [1006] * 3, [code for code, _ in seen])


@socket_path
async def ws_dying(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "last words"})
    if scope["query_string"]:
        raise RuntimeError(f"on purpose {scope['query_string'].decode()}")


@check("S9", "an application that dies closes with 1011, and is logged once")
def dying(server):
    token = server.token()
    with dial(server, f"/ws_dying?{token}").opened() as client:
        expect("before", "last words", client.message())
        expect("code", 1011, client.until_close()[0])
    log = server.await_log(f"RuntimeError: on purpose {token}")
    expect("times logged", 1, log.count(f"RuntimeError: on purpose {token}"))


@check("S9", "an application that returns closes the socket")
def returning(server):
    with dial(server, "/ws_dying").opened() as client:
        expect("before", "last words", client.message())
        expect("code", one_of(1000, 1011, 1006), client.until_close()[0])


@socket_path
async def ws_endless(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    try:
        for _ in range(20_000):
            await send({"type": "websocket.send", "bytes": b"x" * 16_384})
            await asyncio.sleep(0)
        record(scope, "never raised")
    except BaseException as error:
        record(scope, f"raised {isinstance(error, OSError)} {type(error) is not OSError}")
        raise


@check("S9", "send to a socket that is gone raises a subclass of OSError, which is not logged")
def gone(server):
    before = len(server.log())
    for leave in ["close", "reset"]:
        token = server.token()
        client = WebSocket(server.connect(receive_buffer=4096), f"/ws_endless/{token}").opened()
        client.receive()
        getattr(client.connection, leave)()
        seen = eventually("the application notices", lambda: server.events(token))
        expect(f"after {leave} (is OSError, is a subclass)", ["raised True True"], seen)
    server.get("/hello")
    expect("a traceback in the log", False, "Traceback" in server.log()[before:])


@check("S9", "send waits for a client that does not read")
def back_pressure(server):
    token = server.token()
    with WebSocket(server.connect(receive_buffer=4096), f"/ws_flood/{token}").opened():
        repeats, before = 0, -1
        while repeats < 10:
            now = (server.events(token) or [0])[-1]
            repeats, before = (repeats + 1 if now == before else 0), now
            require("blocks of 64 KiB accepted without a reader are fewer than 1000", True, now < 1_000)


@socket_path
async def ws_flood(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    for count in range(4_000):
        await send({"type": "websocket.send", "bytes": b"x" * 65_536})
        if count % 10 == 0:
            record(scope, count)


@socket_path
async def ws_farewell(scope, receive, send):
    """Takes its time after the disconnect; the log says that it had it."""
    await receive()
    await send({"type": "websocket.accept"})
    event = await receive()
    await asyncio.sleep(0.2)
    print(f"farewell {event['type']} {event.get('code')}", flush=True)


@check("S10", "at shutdown: 1012, the application is told and has time", alone=True)
def shutdown(server):
    with server.another() as other:
        with dial(other, "/ws_farewell").opened() as client:
            other.process.send_signal(signal.SIGTERM)
            expect("code", 1012, client.until_close()[0])
            client.send(CLOSE, close_data(1012))
            client.connection.rest()
            eventually("the server ends", lambda: other.process.poll() is not None)
        expect("exit status", one_of(0, -signal.SIGTERM) if not server.is_portico else 0, other.process.returncode)
        expect("what the application saw", True, "farewell websocket.disconnect 1012" in other.log())


@check("S11", "frames that come with the handshake are not lost")
def early_frames(server):
    early = frame(TEXT, b"early") + frame(TEXT, b"bird")
    with dial(server, "/ws_echo", with_data=early).opened() as client:
        expect("messages", ["early", "bird"], [client.message(), client.message()])
