"""ASGI applications without a framework: what the gateway itself costs."""

import asyncio

HELLO = b"Hello, World!"
CHUNK = bytes(byte * 31 % 251 for byte in range(64 * 1024))
TEXT = {"type": "http.response.start", "status": 200,
        "headers": [(b"content-type", b"text/plain"), (b"content-length", b"13")]}
OCTETS = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/octet-stream")]}


def answers(application):
    """`application` for requests, and the lifespan protocol, which some servers insist on."""

    async def complete(scope, receive, send):
        if scope["type"] != "lifespan":
            return await application(scope, receive, send)
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return None

    return complete


@answers
async def hello(scope, receive, send):
    await send(TEXT)
    await send({"type": "http.response.body", "body": HELLO})


@answers
async def wait(scope, receive, send):
    """Answers after 10 ms in which others are served."""
    await asyncio.sleep(0.01)
    await send(TEXT)
    await send({"type": "http.response.body", "body": HELLO})


@answers
async def echo(scope, receive, send):
    """The request's body."""
    parts = []
    while True:
        event = await receive()
        parts.append(event.get("body", b""))
        if not event.get("more_body"):
            break
    body = b"".join(parts)
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"application/octet-stream"),
                            (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


@answers
async def stream(scope, receive, send):
    """1 MiB in sixteen chunks of 64 KiB."""
    await send(OCTETS)
    for _ in range(16):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@answers
async def socket(scope, receive, send):
    """Sends each message back; a plain request, by which a server is known to be ready, is answered as hello is."""
    if scope["type"] == "http":
        await send(TEXT)
        return await send({"type": "http.response.body", "body": HELLO})
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return None
        if event.get("text") is not None:
            await send({"type": "websocket.send", "text": event["text"]})
        else:
            await send({"type": "websocket.send", "bytes": event["bytes"]})
