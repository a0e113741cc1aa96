"""What Python applications are asked, and the targets that Portico is held to."""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import python_peers
from .python_peers import Application

HELLO = b"Hello, World!"
CHUNK = bytes(byte * 31 % 251 for byte in range(64 * 1024))
"""As the applications stream it, sixteen times."""
BODY = bytes(byte * 7 % 256 for byte in range(10 * 1024))
FILE_SIZE = 50 * 1024
CONNECTIONS = 64


@dataclass(frozen=True)
class Case:
    """One kind of request."""

    name: str
    subject: str
    application: Application
    path: str = "/"
    body: bytes | None = None
    """Sent by POST."""
    answer: bytes | None = None
    """What is right; None: what every server answers alike."""
    connections: int = CONNECTIONS
    peers: list[str] = field(default_factory=list)
    bounds: dict[str, float] = field(default_factory=dict)
    """Ratios to be reached against peers, `best` being the best of them."""
    is_websocket: bool = False
    share: float = 1
    """Of the million requests after which memory is looked at: large ones move a lot of bytes."""

    @property
    def servers(self) -> list[str]:
        return self.peers or (python_peers.WSGI if self.application.gateway == "wsgi" else python_peers.ASGI)

    def request(self) -> bytes:
        """The bytes of one request."""
        method, length = ("POST", f"Content-Length: {len(self.body)}\r\n") if self.body else ("GET", "")
        return f"{method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n".encode() + (self.body or b"")


def wsgi(target: str, threads: int = 1) -> Application:
    return Application(target, "wsgi", threads)


def asgi(target: str) -> Application:
    return Application(target, "asgi")


ALL = [
    Case(
        *("wsgi-hello", "WSGI hello, 1 thread", wsgi("plain_wsgi:hello")),
        answer=HELLO,
        bounds={"granian": 1.3, "fastpysgi": 1.0},
    ),
    Case(
        *("wsgi-threads", "WSGI hello, 4 threads", wsgi("plain_wsgi:hello", 4)),
        answer=HELLO,
        peers=["granian", "gunicorn", "uwsgi"],
        bounds={"granian": 1.0},
    ),
    Case("flask", "Flask hello", wsgi("flask_app:app"), answer=HELLO, bounds={"best": 1.0}),
    Case("django-wsgi", "Django page, WSGI", wsgi("django_app:wsgi"), bounds={"best": 1.0}),
    Case(
        *("wsgi-echo", "WSGI, 10 KiB body echoed", wsgi("plain_wsgi:echo")),
        body=BODY,
        answer=BODY,
        bounds={"granian": 1.2},
        share=0.2,
    ),
    Case(
        *("wsgi-stream", "WSGI, 1 MiB in 64 KiB chunks", wsgi("plain_wsgi:stream")),
        answer=CHUNK * 16,
        bounds={"granian": 1.2},
        share=0.01,
    ),
    Case("wsgi-file", "WSGI, 50 KiB file", wsgi("plain_wsgi:file"), bounds={"granian": 1.2}, share=0.1),
    Case(
        *("asgi-hello", "ASGI hello", asgi("plain_asgi:hello")),
        answer=HELLO,
        bounds={"granian": 1.6, "uvicorn": 1.7, "fastpysgi": 1.15},
    ),
    Case("starlette", "Starlette hello", asgi("starlette_app:app"), answer=HELLO, bounds={"granian": 1.2}),
    Case("fastapi", "FastAPI JSON", asgi("fastapi_app:app"), "/items/7?q=pen", bounds={"best": 1.1}),
    Case("django-asgi", "Django page, ASGI", asgi("django_app:asgi"), "/async", bounds={"best": 1.0}),
    Case(
        *("asgi-echo", "ASGI, 10 KiB body echoed", asgi("plain_asgi:echo")),
        body=BODY,
        answer=BODY,
        bounds={"granian": 1.2},
        share=0.2,
    ),
    Case(
        *("asgi-stream", "ASGI, 1 MiB in 64 KiB chunks", asgi("plain_asgi:stream")),
        answer=CHUNK * 16,
        bounds={"granian": 1.2},
        share=0.01,
    ),
    Case(
        *("asgi-file", "FileResponse, 50 KiB file", asgi("starlette_app:app"), "/file"),
        bounds={"granian": 1.2},
        share=0.1,
    ),
    Case(
        *("asgi-wait", "ASGI, 10 ms awaited, 512 connections", asgi("plain_asgi:wait")),
        answer=HELLO,
        connections=512,
        bounds={"best": 1.0},
        share=0.1,
    ),
    Case(
        *("websocket", "WebSocket echo, 64 bytes", asgi("plain_asgi:socket")),
        answer=HELLO,
        peers=python_peers.WEBSOCKET,
        bounds={"granian": 1.2},
        is_websocket=True,
    ),
]

GROUPS: dict[str, Callable[[Case], bool]] = {
    "wsgi": lambda case: case.application.gateway == "wsgi",
    "asgi": lambda case: case.application.gateway == "asgi",
}
BEYOND = ["latency", "growth", "idle"]
"""What is measured beside rates: the tail at half load, memory after many requests, memory of an idle worker."""
NAMES = [*(case.name for case in ALL), *BEYOND]


def chosen(text: str) -> list[str]:
    """The names in a list of names and groups, in the order of the table."""
    wanted: set[str] = set()
    for word in text.split(","):
        if word in GROUPS:
            wanted.update(case.name for case in ALL if GROUPS[word](case))
        elif word in NAMES:
            wanted.add(word)
        else:
            raise ValueError(f"{word}: choose from {', '.join([*GROUPS, *NAMES])}")
    return [name for name in NAMES if name in wanted]
