"""Applications that treat lifespan each in their own way; served one at a time."""

import asyncio
import os
from pathlib import Path

from .asgi_site import text


def say(line: str) -> None:
    """Into the log, at once."""
    print(line, flush=True)


async def hello(scope, receive, send):
    await receive()
    await text(send, b"hello")


async def patient(scope, receive, send):
    """Starts when a file appears, and takes its time to stop; a request lasts until another file appears."""
    if scope["type"] == "lifespan":
        say(f"received {(await receive())['type']}")
        await until_exists(os.environ["CONFORMANCE_START"])
        say("startup is over")
        await send({"type": "lifespan.startup.complete"})
        say(f"received {(await receive())['type']}")
        await asyncio.sleep(0.1)
        say("shutdown is over")
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["path"] == "/slow":
        say("slow request begun")
        await until_exists(os.environ["CONFORMANCE_END"])
        await text(send, b"slow")
        say("slow request over")
    else:
        await hello(scope, receive, send)


async def until_exists(name):
    while not Path(name).exists():
        await asyncio.sleep(0.005)


async def raising(scope, receive, send):
    """Knows no lifespan."""
    if scope["type"] != "http":
        raise ValueError(f"unknown scope {scope['type']}")
    await text(send, b"hello")


async def raising_late(scope, receive, send):
    """Fails once it has been asked to start."""
    if scope["type"] == "lifespan":
        await receive()
        raise ValueError("no lifespan after all")
    await hello(scope, receive, send)


async def returning(scope, receive, send):
    """Returns for lifespan without a word."""
    if scope["type"] == "http":
        await hello(scope, receive, send)


async def failing(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "the database is on fire"})
        return
    await hello(scope, receive, send)


async def failing_late(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "the lights stayed on"})
        return
    await hello(scope, receive, send)


async def never_starting(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await asyncio.sleep(3600)
    await hello(scope, receive, send)


async def never_stopping(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        say("asked to stop")
        await asyncio.sleep(3600)
    await hello(scope, receive, send)


async def dying(scope, receive, send):
    """Its lifespan ends by an error in the midst of serving."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await asyncio.sleep(0)
        raise ValueError("lifespan lost heart")
    await hello(scope, receive, send)


async def misspeaking(scope, receive, send):
    """Sends what is no lifespan event; `send` must raise."""
    if scope["type"] == "lifespan":
        await receive()
        for event in [{"type": "http.response.start", "status": 200}, {"type": "lifespan.nonsense"}, {}, None]:
            try:
                await send(event)
                say(f"accepted {event}")
            except Exception:
                say("refused one")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await hello(scope, receive, send)
