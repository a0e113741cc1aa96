"""Talks to an echoing WebSocket at the URL given, by the library `websockets`; the last line says that all went well."""

import asyncio
import random
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

KIB = 1024


async def echo(url: str, compression: str | None) -> None:
    generator = random.Random(4)
    async with connect(url, compression=compression, max_size=None) as socket:
        offered = socket.response.headers.get("Sec-WebSocket-Extensions")
        assert (offered is not None) == (compression is not None), offered
        for size in [0, 1, 63, 64, 125, 126, 127, 65_535, 65_536, 300 * KIB, 2 * KIB * KIB]:
            for message in ["ä" * (size // 2), bytes(size), generator.randbytes(size)]:
                await socket.send(message)
                answer = await socket.recv()
                assert answer == message, f"{size} bytes came back as {len(answer)} of {type(answer)}"
        await socket.send(iter(["a", "b", "", "cé" * 100]))
        assert await socket.recv() == "ab" + "cé" * 100, "a text in fragments"
        await (await socket.ping(b"are you there"))


async def pipelined(url: str) -> None:
    """Many messages before the first answer is read."""
    async with connect(url, max_queue=None) as socket:
        sent = [f"{number} " * (number % 50) for number in range(2000)]
        sender = asyncio.create_task(send_all(socket, sent))
        received = [await socket.recv() for _ in sent]
        await sender
        assert received == sent, "messages are lost, or out of order"


async def send_all(socket, messages: list[str]) -> None:
    for message in messages:
        await socket.send(message)


async def close(url: str) -> None:
    socket = await connect(url)
    await socket.close(4001, "my reason")
    assert (socket.close_code, socket.close_reason) == (4001, ""), (socket.close_code, socket.close_reason)
    async with connect(url, max_size=None) as socket:
        await socket.send(bytes(5 * KIB * KIB))
        try:
            await socket.recv()
            raise AssertionError("a message above the limit was taken")
        except ConnectionClosed as closed:
            assert closed.rcvd is not None and closed.rcvd.code == 1009, closed


async def main(url: str) -> None:
    for compression in [None, "deflate"]:
        await echo(url, compression)
    await asyncio.gather(*(pipelined(url) for _ in range(5)))
    await close(url)
    print("all went well")


asyncio.run(main(sys.argv[1]))
