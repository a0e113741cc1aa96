"""A client that sends exactly the bytes it is given, and says exactly what came back."""

import json
import select
import socket
from dataclasses import dataclass, field
from types import TracebackType

SILENCE = 60.0
"""Seconds without a byte after which a server is taken to say nothing more."""


class NoResponse(Exception):
    """The connection ended before a byte of a response."""


class NotHTTP(Exception):
    """What came is not a response."""


@dataclass
class Response:
    """A response as it came over the wire."""

    version: str
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    complete: bool = True
    """Whether the body came to the end that its framing announced."""
    framing: str = "none"
    """`length`, `chunked`, `close` or `none`."""
    trailers: list[tuple[str, str]] = field(default_factory=list)

    def __getitem__(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode("latin-1")

    def json(self) -> object:
        if self.status != 200:
            raise NotHTTP(f"status {self.status} instead of a report: {self.text[:200]!r}")
        return json.loads(self.body)


def request(
    method: str, path: str, fields: tuple[str, ...] = (), body: bytes | None = None, version: str = "1.1"
) -> bytes:
    """The bytes of a request; `body` gets a Content-Length, unless a field frames it otherwise."""
    lines = [f"{method} {path} HTTP/{version}"]
    names = {line.split(":")[0].lower() for line in fields}
    if "host" not in names and version != "1.0":
        lines.append("Host: localhost")
    lines += fields
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; an empty one ends it."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class Connection:
    """A client's connection; a context manager."""

    def __init__(self, address: tuple[str, int] | str, receive_buffer: int | None = None) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(SILENCE)
        self.socket.connect(address)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Closes with RST instead of FIN, as a client that crashed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def finish_sending(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, method: str, path: str, *fields: str, body: bytes | None = None, version: str = "1.1") -> None:
        self.send(request(method, path, fields, body, version))

    def is_silent(self) -> bool:
        """Whether nothing has arrived by now, not even the end."""
        return not self.buffer and not select.select([self.socket], [], [], 0)[0]

    def is_ended(self) -> bool:
        """Waits for the end of the connection; False where bytes come instead."""
        try:
            return not self.buffer and not self.fill()
        except ConnectionError:
            return True

    def fill(self) -> bool:
        """More bytes; False at the end."""
        piece = self.socket.recv(1 << 16)
        self.buffer += piece
        return bool(piece)

    def take(self, count: int) -> bytes:
        """Exactly so many bytes."""
        while len(self.buffer) < count:
            if not self.fill():
                raise EOFError(f"{len(self.buffer)} of {count} bytes: {self.buffer[:100]!r}")
        piece, self.buffer = self.buffer[:count], self.buffer[count:]
        return piece

    def take_line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise EOFError(f"within a line: {self.buffer[:100]!r}")
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def rest(self) -> bytes:
        """Everything until the end, in whichever way it comes."""
        try:
            while self.fill():
                pass
        except ConnectionError:
            pass
        piece, self.buffer = self.buffer, b""
        return piece

    def head(self) -> Response:
        """The next response's head; interim responses are responses, too."""
        while b"\r\n\r\n" not in self.buffer:
            try:
                more = self.fill()
            except ConnectionError:
                more = False
            if not more and not self.buffer:
                raise NoResponse("the connection ended without a response")
            if not more:
                raise NotHTTP(f"the connection ended within a head: {self.buffer[:100]!r}")
        block, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = block.decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
            raise NotHTTP(f"not a status line: {lines[0]!r}")
        return Response(words[0], int(words[1]), words[2] if len(words) > 2 else "", fields(lines[1:]))

    def response(self, to: str = "GET") -> Response:
        """The next response, to a request of that method."""
        response = self.head()
        if to == "HEAD" or response.status < 200 or response.status in (204, 304):
            return response
        try:
            if (response["transfer-encoding"] or "").lower() == "chunked":
                response.framing = "chunked"
                self._chunks(response)
            elif response["content-length"] is not None:
                response.framing = "length"
                response.body = self.take(int(response["content-length"]))
            else:
                response.framing = "close"
                response.body = self.rest()
        except (EOFError, ConnectionError):
            response.complete = False
            response.body += self.buffer
            self.buffer = b""
        return response

    def _chunks(self, response: Response) -> None:
        while True:
            size = int(self.take_line().split(b";")[0], 16)
            if size == 0:
                break
            response.body += self.take(size)
            if self.take(2) != b"\r\n":
                raise NotHTTP("a chunk that does not end where it says")
        trailers = []
        while line := self.take_line():
            trailers.append(line.decode("latin-1"))
        response.trailers = fields(trailers)

    def chunk(self) -> bytes:
        """The next chunk of a chunked body, empty for the last."""
        size = int(self.take_line().split(b";")[0], 16)
        data = self.take(size)
        self.take(2)
        return data


def fields(lines: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise NotHTTP(f"not a header line: {line!r}")
        pairs.append((name, value.strip(" \t")))
    return pairs
