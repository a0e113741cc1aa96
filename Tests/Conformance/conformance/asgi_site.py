"""The ASGI application that the checks talk to: a function for each path, and what they share."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable

PATIENCE = 30.0
TEXT = (b"content-type", b"text/plain; charset=utf-8")

paths: dict[str, Callable] = {}
sockets: dict[str, Callable] = {}
events: defaultdict[str, list] = defaultdict(list)
gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
lifespan_seen: list = []


def path(function: Callable) -> Callable:
    """Serves the decorated application at the path of its name, and of everything below."""
    paths[function.__name__] = function
    return function


def socket_path(function: Callable) -> Callable:
    """The same for WebSockets."""
    sockets[function.__name__] = function
    return function


async def start(send: Callable, status: int = 200, headers: tuple = (TEXT,), **more: object) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers), **more})


async def body(send: Callable, data: bytes = b"", more: bool = False) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def text(send: Callable, data: bytes = b"ok", status: int = 200, *headers: tuple) -> None:
    await start(send, status, (TEXT, *headers))
    await body(send, data)


async def report(send: Callable, value: object) -> None:
    """What the application saw, for the check to read."""
    await start(send, 200, ((b"content-type", b"application/json"),))
    await body(send, json.dumps(value).encode())


def token_of(scope: dict) -> str:
    return scope["path"].rsplit("/", 1)[-1]


def query_of(scope: dict) -> str:
    return scope["query_string"].decode("latin-1").replace("%20", " ")


def record(scope: dict, event: object) -> None:
    events[token_of(scope)].append(event)


async def wait(scope: dict) -> None:
    """Until the check opens the gate of this request."""
    await asyncio.wait_for(gates[token_of(scope)].wait(), PATIENCE)


async def read_body(receive: Callable) -> tuple[bytes, bool]:
    """The body, and whether it came to its end."""
    data = b""
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return data, False
        data += event.get("body", b"")
        if not event.get("more_body", False):
            return data, True


@path
async def hello(scope, receive, send):
    await text(send, b"hello")


async def lifespan(scope: dict, receive: Callable, send: Callable) -> None:
    """Fills the state, where there is one, and remembers what it was given."""
    loop = id(asyncio.get_running_loop())
    lifespan_seen.append({"asgi": scope["asgi"], "keys": sorted(scope), "state": "state" in scope, "loop": loop})
    if "state" in scope:
        scope["state"].update({"shared": [], "key": "from lifespan"})
    event = await receive()
    lifespan_seen[-1]["event"] = event
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def application(scope: dict, receive: Callable, send: Callable, /) -> None:
    """Takes its arguments by position alone, so that a server which names them fails."""
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
    elif scope["type"] == "websocket":
        await sockets[scope["path"].split("/")[1]](scope, receive, send)
    elif scope["path"].startswith("/events/"):
        await report(send, events[token_of(scope)])
    elif scope["path"].startswith("/open/"):
        gates[token_of(scope)].set()
        await text(send)
    elif scope["path"] == "/lifespan":
        await report(send, {"seen": lifespan_seen, "loop": id(asyncio.get_running_loop())})
    else:
        function = paths.get(scope["path"].split("/")[1])
        await (function(scope, receive, send) if function else text(send, b"no such path", 404))
