"""Memory of an idle worker, memory of idle connections, and the time from exec to ready."""

import os
import selectors
import socket
import statistics
import subprocess
import time
from pathlib import Path

from .machine import ComparisonError
from .server import START_LIMIT, Server, connect

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def resident_mib(pid: int) -> float:
    """The resident set of a process, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ComparisonError(f"/proc/{pid}/status has no VmRSS")


def settled_mib(pid: int) -> float:
    """The resident set once it has stopped changing (equal for one second), or after ten seconds."""
    deadline = time.monotonic() + 10
    last, since = resident_mib(pid), time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < 1:
        time.sleep(0.1)
        now = resident_mib(pid)
        if now != last:
            last, since = now, time.monotonic()
    return last


def idle_and_connected(server: Server, connections: int) -> tuple[float, float]:
    """MiB of the running server's worker after one request, and how many more with idle keep-alive connections.

    Each connection has had one request answered, as a browser's has that stays open.
    """
    ask(server.port, 1)[0].close()
    idle = settled_mib(server.worker())
    open_sockets = ask(server.port, connections)
    try:
        connected = settled_mib(server.worker())
        closed = count_closed(open_sockets)
        if closed:
            raise ComparisonError(f"{server.name} closed {closed} of {connections} idle connections")
        return idle, connected - idle
    finally:
        for connection in open_sockets:
            connection.close()


def resident_when_ready(server: Server, core: int) -> float:
    """MiB of a program once it has printed its ready line."""
    server.launch(core, stdout=subprocess.PIPE)
    pipe = server.process.stdout if server.process else None
    try:
        wait_for_line(server, server.ready_line or b"")
        return settled_mib(server.worker())
    finally:
        server.stop()
        if pipe:
            pipe.close()


def ask(port: int, count: int) -> list[socket.socket]:
    """Opens connections one after the other, each with one whole answered request, and keeps them open."""
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            connection = connect(port)
            opened.append(connection)
            connection.sendall(REQUEST)
            read_answer(connection)
    except OSError as error:
        for connection in opened:
            connection.close()
        raise ComparisonError(f"connection {len(opened)} of {count} to port {port}: {error}") from error
    return opened


def read_answer(connection: socket.socket) -> None:
    """Reads one response with a Content-Length or chunked framing to its end."""
    received = b""
    while True:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("closed before the answer was complete")
        received += piece
        head, end, body = received.partition(b"\r\n\r\n")
        if not end:
            continue
        status, *lines = head.split(b"\r\n")
        if b" 200 " not in status:
            raise ConnectionError(f"answered {status.decode(errors='replace')}")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        if b"content-length" in fields:
            if len(body) >= int(fields[b"content-length"]):
                return
        elif body.endswith(b"0\r\n\r\n"):
            return


def count_closed(connections: list[socket.socket]) -> int:
    """How many have something to read: on an idle connection, that is its end."""
    with selectors.EpollSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        return len(selector.select(0))


def start_times_ms(server: Server, core: int, runs: int) -> tuple[float | None, float]:
    """Medians in milliseconds from exec to the ready line (None where there is none) and to the first answer."""
    ready: list[float] = []
    answered: list[float] = []
    for _ in range(runs):
        begin = time.monotonic()
        server.launch(core, stdout=subprocess.PIPE if server.ready_line else None)
        try:
            if server.ready_line:
                wait_for_line(server, server.ready_line)
                ready.append((time.monotonic() - begin) * 1000)
            server.wait_until_it_answers()
            answered.append((time.monotonic() - begin) * 1000)
        finally:
            pipe = server.process.stdout if server.process else None
            server.stop()
            if pipe:
                pipe.close()
    return (statistics.median(ready) if ready else None, statistics.median(answered))


def wait_for_line(server: Server, beginning: bytes) -> None:
    """Returns as soon as the server prints a line that begins as said."""
    if server.process is None or server.process.stdout is None:
        raise ComparisonError(f"{server.name} was started without a pipe for its output")
    output = server.process.stdout.fileno()
    seen = b""
    deadline = time.monotonic() + START_LIMIT
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while not any(line.startswith(beginning) for line in seen.split(b"\n")[:-1]):
            piece = os.read(output, 4096) if selector.select(deadline - time.monotonic()) else b""
            if not piece:
                raise ComparisonError(f"{server.name} did not print {beginning.decode()!r}:\n{server.last_words()}")
            seen += piece
