"""A WebSocket client of RFC 6455 that can also break its rules."""

import base64
import hashlib
import os
import struct
import zlib
from dataclasses import dataclass
from types import TracebackType

from .wire import Connection, Response

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status} {response.text[:100]!r}")
        self.response = response


@dataclass(frozen=True)
class Frame:
    """A frame as it came."""

    opcode: int
    data: bytes
    is_final: bool = True
    reserved: int = 0

    @property
    def code(self) -> int | None:
        """Of a close frame."""
        return struct.unpack("!H", self.data[:2])[0] if len(self.data) >= 2 else None


def frame(opcode: int, data: bytes = b"", final: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """The bytes of a frame."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    mask_bit = 0x80 if masked else 0
    if len(data) < 126:
        head = struct.pack("!BB", first, mask_bit | len(data))
    elif len(data) < 65_536:
        head = struct.pack("!BBH", first, mask_bit | 126, len(data))
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, len(data))
    if not masked:
        return head + data
    key = os.urandom(4)
    repeated = (key * (len(data) // 4 + 1))[: len(data)]
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")
    return head + key + mixed.to_bytes(len(data), "big")


def close_data(code: int, reason: str = "") -> bytes:
    return struct.pack("!H", code) + reason.encode()


def handshake(path: str, *fields: str, key: str = "dGhlIHNhbXBsZSBub25jZQ==") -> bytes:
    """The bytes of an opening handshake."""
    lines = [
        *[f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"],
        *[f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *fields],
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class WebSocket:
    """A client's WebSocket over a connection; a context manager."""

    def __init__(self, connection: Connection, path: str, *fields: str, with_data: bytes = b"") -> None:
        self.connection = connection
        self.key = base64.b64encode(os.urandom(16)).decode()
        self.path = path
        self.connection.send(handshake(path, *fields, key=self.key) + with_data)
        self.response: Response | None = None

    def __enter__(self) -> "WebSocket":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def opened(self) -> "WebSocket":
        """Waits for the handshake's answer, which must be 101."""
        response = self.connection.response()
        self.response = response
        accept = base64.b64encode(hashlib.sha1((self.key + GUID).encode()).digest()).decode()
        if response.status != 101 or response["sec-websocket-accept"] != accept:
            raise Refused(response)
        return self

    def send(self, opcode: int, data: bytes | str = b"", **options: object) -> None:
        data = data.encode() if isinstance(data, str) else data
        self.connection.send(frame(opcode, data, **options))

    def receive(self) -> Frame:
        """The next frame, of whichever kind."""
        first, second = self.connection.take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self.connection.take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.connection.take(8))
        return Frame(first & 0x0F, self.connection.take(length), bool(first & 0x80), first >> 4 & 7)

    def message(self) -> bytes | str:
        """The next message, whole; answers pings on its way."""
        kind, data = None, b""
        while True:
            received = self.receive()
            if received.opcode == PING:
                self.send(PONG, received.data)
                continue
            if received.opcode == CLOSE:
                raise EOFError(f"closed with {received.code} {received.data[2:]!r} instead of a message")
            kind = received.opcode if kind is None else kind
            data += received.data
            if received.is_final:
                return data.decode() if kind == TEXT else data

    def until_close(self) -> tuple[int | None, str]:
        """Code and reason of the server's close frame; what comes before it is thrown away."""
        while True:
            received = self.receive()
            if received.opcode == CLOSE:
                return received.code, received.data[2:].decode()

    def close(self, code: int = 1000, reason: str = "") -> tuple[int | None, str]:
        """The closing handshake, begun by this side."""
        self.send(CLOSE, close_data(code, reason))
        return self.until_close()


def deflated(data: bytes) -> bytes:
    """A message's bytes as permessage-deflate has them."""
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflated(data: bytes) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(data + b"\0\0\xff\xff")
