"""Starlette's hello, and a file."""

import os

from starlette.applications import Starlette
from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Route


async def hello(request):
    return PlainTextResponse("Hello, World!")


async def file(request):
    return FileResponse(os.environ["BENCHMARK_FILE"], media_type="application/octet-stream")


app = Starlette(routes=[Route("/", hello), Route("/file", file)])
