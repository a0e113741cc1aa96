"""What the leak checks ask for a thousand times, and the census they take before and after."""

import gc
import os
import sys
import tracemalloc

from . import asgi_site, wsgi_site
from .asgi import application as asgi_application
from .wsgi import application as wsgi_application

# Every allocation is counted from here on, with the line it came from.
tracemalloc.start(1)

WATCHED = {
    "None": None, "True": True, "False": False, "()": (), "''": "", "b''": b"", "0": 0, "200": 200,
    "dict": dict, "list": list, "str": str, "bytes": bytes, "tuple": tuple, "type": type,
    "wsgi application": wsgi_application, "asgi application": asgi_application, "sys.stderr": sys.stderr,
    "wsgi hello": wsgi_site.hello, "asgi hello": asgi_site.hello, "os.environ": os.environ, "RuntimeError": RuntimeError,
    **{
        repr(key): sys.intern(key)
        for key in [
            *["REQUEST_METHOD", "PATH_INFO", "wsgi.input", "wsgi.errors", "SERVER_PROTOCOL", "HTTP_HOST", "GET"],
            *["type", "scope", "headers", "http", "http.request", "body", "more_body", "http.response.start"],
        ]
    },
}  # fmt: skip
"""Shared objects: a reference too many on one of them shows in no other count."""


def census() -> dict:
    """How much there is, with everything collected that can be."""
    for _ in range(3):
        gc.collect()
    counts = {
        "objects": len(gc.get_objects()) + gc.get_freeze_count(),
        "blocks": sys.getallocatedblocks(),
        "bytes": tracemalloc.get_traced_memory()[0],
    }
    return {**counts, "references": {name: sys.getrefcount(value) for name, value in WATCHED.items()}}


@wsgi_site.path
def counted(environ, start_response):
    return wsgi_site.report(start_response, census())


@wsgi_site.path
def consume(environ, start_response):
    """Reads its body in every way there is."""
    stream = environ["wsgi.input"]
    stream.read(3), stream.readline(), stream.readlines(), list(stream), stream.read()
    environ["wsgi.errors"].flush()
    return wsgi_site.text(start_response)


@wsgi_site.path
def collapse(environ, start_response):
    raise RuntimeError("on purpose")


@wsgi_site.path
def midway(environ, start_response):
    start_response("200 OK", [wsgi_site.TEXT])
    yield b"part"
    raise RuntimeError("on purpose")


@wsgi_site.path
def own_source(environ, start_response):
    start_response("200 OK", [wsgi_site.TEXT])
    return environ["wsgi.file_wrapper"](open(__file__, "rb"))


@wsgi_site.path
def endless(environ, start_response):
    """Sends until the client is gone."""
    start_response("200 OK", [wsgi_site.TEXT])
    while True:
        yield b"x" * 16_384


@asgi_site.path
async def acounted(scope, receive, send):
    await asgi_site.report(send, census())


@asgi_site.path
async def aconsume(scope, receive, send):
    await asgi_site.read_body(receive)
    await asgi_site.text(send)


@asgi_site.path
async def acollapse(scope, receive, send):
    raise RuntimeError("on purpose")


@asgi_site.path
async def amidway(scope, receive, send):
    await asgi_site.start(send)
    await asgi_site.body(send, b"part", more=True)
    raise RuntimeError("on purpose")


@asgi_site.path
async def astreamed(scope, receive, send):
    await asgi_site.start(send)
    for _ in range(5):
        await asgi_site.body(send, b"piece", more=True)
    await asgi_site.body(send)


@asgi_site.path
async def apath(scope, receive, send):
    await asgi_site.start(send)
    await send({"type": "http.response.pathsend", "path": __file__})


@asgi_site.path
async def forever(scope, receive, send):
    """Sends until the client is gone."""
    await asgi_site.start(send)
    while True:
        await asgi_site.body(send, b"x" * 16_384, more=True)


@asgi_site.socket_path
async def ws_plain_echo(scope, receive, send):
    """Keeps nothing, unlike the one of the other checks."""
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})
