"""A path parameter, a query parameter and a model, validated and serialised by FastAPI."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    id: int
    name: str
    price: float
    tags: list[str]


@app.get("/items/{item_id}")
async def item(item_id: int, q: str = "") -> Item:
    return Item(id=item_id, name=q, price=9.5, tags=["a", "b"])


@app.get("/")
async def ready() -> dict[str, str]:
    return {"ready": "yes"}
