"""Quart: Flask's ways on ASGI, with WebSockets and streams."""

import asyncio

from quart import Quart, jsonify, render_template_string, request, session, websocket

app = Quart(__name__)
app.secret_key = "only for tests"
seen: list[str] = []


@app.before_serving
async def begin():
    seen.append("begun")


@app.get("/hello/<name>")
async def hello(name):
    return await render_template_string("<p>Hello, {{ name }}!</p>", name=name)


@app.get("/count")
async def count():
    session["count"] = session.get("count", 0) + 1
    return jsonify(count=session["count"], seen=seen)


@app.post("/form")
async def form():
    values, files = await request.form, await request.files
    return jsonify(name=values["name"], document=[files["document"].filename, len(files["document"].read())])


@app.get("/stream")
async def stream():
    async def lines():
        for number in range(1_000):
            yield f"{number}\n".encode()
        await asyncio.sleep(0)

    return lines(), {"Content-Type": "text/plain"}


@app.get("/failure/<token>")
async def failure(token):
    raise RuntimeError(f"a view fails {token}")


@app.websocket("/echo")
async def echo():
    while True:
        await websocket.send(await websocket.receive())
