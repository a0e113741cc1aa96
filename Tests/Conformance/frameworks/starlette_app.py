"""Starlette: routes, lifespan, middleware, WebSockets, streams, files, background tasks."""

import asyncio
import threading
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocketDisconnect

done: list[str] = []
PAGE = """<!doctype html><title>Echo</title><link rel="icon" href="data:,"><h1>Echo</h1><p id="answer"></p>
<script>
const socket = new WebSocket(`ws://${location.host}/echo`);
socket.onopen = () => socket.send("from a browser \\u2603");
socket.onmessage = (event) => { document.querySelector("#answer").textContent = event.data; };
</script>
"""


@asynccontextmanager
async def lifespan(app):
    yield {"greeting": "hello from lifespan", "ticker": asyncio.create_task(asyncio.sleep(3600))}


async def greeting(request):
    return JSONResponse({"greeting": request.state.greeting, "client": request.client.host, "url": str(request.url)})


async def page(request):
    return HTMLResponse(PAGE)


async def body(request):
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return JSONResponse({"size": size})


async def form(request):
    async with request.form() as form:
        document = form["document"]
        return JSONResponse({"name": form["name"], "document": [document.filename, len(await document.read())]})


async def stream(request):
    async def lines():
        for number in range(1_000):
            yield f"{number}\n"
            if number % 100 == 0:
                await asyncio.sleep(0)

    return StreamingResponse(lines(), media_type="text/plain")


async def endless(request):
    async def ticks():
        try:
            while True:
                yield "data: tick\n\n"
                await asyncio.sleep(0.01)
        finally:
            done.append(f"endless {request.query_params['token']}")

    return StreamingResponse(ticks(), media_type="text/event-stream")


async def file(request):
    return FileResponse(__file__, filename="source.py")


async def background(request):
    return PlainTextResponse("accepted", background=BackgroundTask(done.append, request.query_params["token"]))


async def finished(request):
    return JSONResponse(done)


async def failure(request):
    raise RuntimeError(f"a view fails {request.query_params['token']}")


def blocking(request):
    return PlainTextResponse(f"from thread {threading.get_native_id()}")


async def echo(websocket):
    await websocket.accept(subprotocol="echo" if "echo" in websocket.scope["subprotocols"] else None)
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as error:
        done.append(f"disconnect {error.code}")


async def denied(websocket):
    await websocket.send_denial_response(PlainTextResponse("not you", 401))


class Stamp(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-stamp"] = "1"
        return response


app = Starlette(
    routes=[
        *[Route("/greeting", greeting), Route("/page", page), Route("/body", body, methods=["POST"])],
        *[Route("/form", form, methods=["POST"]), Route("/stream", stream), Route("/endless", endless)],
        *[Route("/file", file), Route("/background", background), Route("/finished", finished)],
        *[Route("/failure", failure), Route("/blocking", blocking)],
        *[WebSocketRoute("/echo", echo), WebSocketRoute("/denied", denied)],
        Mount("/static", StaticFiles(directory=".")),
    ],
    middleware=[Middleware(Stamp), Middleware(GZipMiddleware, minimum_size=100_000)],
    lifespan=lifespan,
)
