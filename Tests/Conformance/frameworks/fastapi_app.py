"""FastAPI: validation, dependencies, uploads, WebSockets, lifespan state."""

from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, File, Header, HTTPException, UploadFile, WebSocket
from pydantic import BaseModel


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.items = {}
    yield


app = FastAPI(lifespan=lifespan)


class Item(BaseModel):
    name: str
    price: float
    tags: list[str] = []


async def token(x_token: Annotated[str, Header()]) -> str:
    if x_token != "secret":
        raise HTTPException(403, "wrong token")
    return x_token


@app.put("/items/{number}")
async def put(number: int, item: Item) -> Item:
    app.state.items[number] = item
    return item


@app.get("/items/{number}")
def get(number: int, q: str | None = None):  # In a thread, as it is no coroutine.
    if number not in app.state.items:
        raise HTTPException(404, "no such item")
    return {"item": app.state.items[number], "q": q}


@app.get("/secret")
async def secret(token: Annotated[str, Depends(token)]):
    return {"token": token}


@app.post("/files")
async def files(documents: Annotated[list[UploadFile], File()]):
    return [{"name": document.filename, "size": len(await document.read())} for document in documents]


@app.websocket("/items/ws")
async def items(websocket: WebSocket):
    await websocket.accept()
    item = Item(**await websocket.receive_json())
    await websocket.send_json({"received": item.name})
    await websocket.close(4001, "done")
