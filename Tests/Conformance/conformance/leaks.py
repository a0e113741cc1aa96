"""A thousand requests of each kind leave the interpreter as it was.

A leak of one object a request is a growth of a thousand objects, and of at least 24 000 bytes; what caches and free
lists of the interpreter settle at by themselves is far below the limits here, and does not grow from run to run. So the
least of a few runs is what counts.
"""

from collections.abc import Callable

from . import leaks_site  # noqa: F401: paths
from .frames import TEXT, WebSocket
from .servers import Server
from .suite import Checklist, expect
from .wire import Connection, chunk, request

WARM_UP, MEASURED, RUNS = 200, 1_000, 3
LIMITS = {"objects": 100, "blocks": 200, "bytes": 20_000, "references": 100}


def census(server: Server) -> dict:
    found = server.get("/acounted" if server.is_asgi else "/counted").json()
    references = found.pop("references")
    return {**found, **{f"references of {name}": count for name, count in references.items()}}


def expect_no_growth(server: Server, repeat: Callable[[Server, int], None]) -> None:
    repeat(server, WARM_UP)
    census(server)
    least: dict[str, int] = {}
    for _ in range(RUNS):
        before = census(server)
        repeat(server, MEASURED)
        growth = {name: count - before[name] for name, count in census(server).items()}
        least = {name: min(count, least.get(name, count)) for name, count in growth.items()}
        if not beyond(least):
            return
    expect(f"growth in {MEASURED} requests", {}, beyond(least))


def beyond(growth: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in growth.items() if count > LIMITS[name.split()[0]]}


def kept_alive(*arguments, **options) -> Callable[[Server, int], None]:
    """Requests on one connection, each answered before the next."""
    data = request(*arguments, **options)

    def repeat(server: Server, count: int) -> None:
        with server.connect() as connection:
            for _ in range(count):
                connection.send(data)
                while connection.response(to=arguments[0]).status < 200:
                    pass

    return repeat


def one_by_one(talk: Callable[[Connection], None]) -> Callable[[Server, int], None]:
    """Connections of their own."""

    def repeat(server: Server, count: int) -> None:
        for _ in range(count):
            with server.connect() as connection:
                talk(connection)
        server.get("/hello")

    return repeat


def asking(path: str) -> Callable[[Connection], None]:
    def talk(connection: Connection) -> None:
        connection.request("GET", path)
        connection.rest()

    return talk


def leaving(path: str) -> Callable[[Connection], None]:
    """Goes after the head of an answer that has no end."""

    def talk(connection: Connection) -> None:
        connection.request("GET", path)
        connection.head()
        connection.reset()

    return talk


def echoing(connection: Connection) -> None:
    socket = WebSocket(connection, "/ws_plain_echo").opened()
    socket.send(TEXT, "hello")
    socket.message()
    socket.close()


def knocking(connection: Connection) -> None:
    WebSocket(connection, "/ws_deny?close")
    connection.response()


CHUNKED = chunk(b"one\ntwo\n") + chunk(b"three") + chunk(b"")
WSGI = {
    "plain": kept_alive("GET", "/hello"),
    "environ": kept_alive("GET", "/environ?a=b", ("X-One: 1", "X-Two: 2", "Cookie: a=b")),
    "body": kept_alive("POST", "/consume", (), b"one\ntwo\nthree"),
    "chunked": kept_alive("POST", "/consume", ("Transfer-Encoding: chunked",), CHUNKED),
    "write": kept_alive("GET", "/writing"),
    "generator": kept_alive("GET", "/generator"),
    "file": kept_alive("GET", "/own_source"),
    "head": kept_alive("HEAD", "/hello"),
    "error": kept_alive("GET", "/collapse"),
    "cut": one_by_one(asking("/midway")),
    "refused": kept_alive("GET", "/checking?value%20with%20CR%20LF"),
    "disconnect": one_by_one(leaving("/endless")),
    "interim": kept_alive("GET", "/hinting"),
}
ASGI = {
    "plain": kept_alive("GET", "/hello"),
    "scope": kept_alive("GET", "/scope?a=b", ("X-One: 1", "X-Two: 2", "Cookie: a=b")),
    "body": kept_alive("POST", "/aconsume", (), b"one\ntwo\nthree"),
    "chunked": kept_alive("POST", "/aconsume", ("Transfer-Encoding: chunked",), CHUNKED),
    "stream": kept_alive("GET", "/astreamed"),
    "file": kept_alive("GET", "/apath"),
    "head": kept_alive("HEAD", "/hello"),
    "error": kept_alive("GET", "/acollapse"),
    "cut": one_by_one(asking("/amidway")),
    "refused": kept_alive("GET", "/invalid?value%20with%20CR%20LF"),
    "disconnect": one_by_one(leaving("/forever")),
    "websocket": one_by_one(echoing),
    "denied": one_by_one(knocking),
}


def checklist(name: str, kinds: dict[str, Callable]) -> Checklist:
    checklist = Checklist(name, kinds)
    for kind, repeat in kinds.items():

        def perform(server: Server, repeat: Callable = repeat) -> None:
            expect_no_growth(server, repeat)

        checklist.check(kind, "a thousand of them leave nothing behind")(perform)
    return checklist


WSGI_LEAKS = checklist("wsgi-leaks", WSGI)
ASGI_LEAKS = checklist("asgi-leaks", ASGI)
