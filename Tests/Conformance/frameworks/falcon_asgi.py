"""Falcon over ASGI, with WebSockets and server-sent events."""

import falcon
import falcon.asgi
from falcon.asgi import SSEvent


class Things:
    async def on_get(self, request, response, number):
        response.media = {"number": number, "query": request.params, "remote": request.remote_addr}

    async def on_post(self, request, response, number):
        size = 0
        async for chunk in request.stream:
            size += len(chunk)
        response.media = {"size": size, "number": number}


class Events:
    async def on_get(self, request, response):
        async def events():
            for number in range(3):
                yield SSEvent(text=str(number))

        response.sse = events()


class Echo:
    async def on_websocket(self, request, websocket):
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except falcon.WebSocketDisconnected:
            pass


class Failure:
    async def on_get(self, request, response, token):
        raise RuntimeError(f"a view fails {token}")


app = falcon.asgi.App()
app.add_route("/things/{number:int}", Things())
app.add_route("/events", Events())
app.add_route("/echo", Echo())
app.add_route("/failure/{token}", Failure())
