"""W41 and W42: `wsgi.file_wrapper`; and `wsgi.early_hints`."""

import io
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs

from .servers import query
from .suite import expect, require
from .wsgi_environ import check
from .wsgi_site import TEXT, path, record

CONTENT = bytes(range(256)) * 5_000  # 1.28 MB: more than a socket's buffer


class Watched(io.FileIO):
    """A real file that says when it is closed."""

    def __init__(self, name, environ):
        super().__init__(name)
        self.environ = environ

    def close(self):
        if not self.closed:
            record(self.environ, "close")
        super().close()


class WithoutDescriptor:
    """The least a file can be."""

    def __init__(self, data, environ):
        self.stream = io.BytesIO(data)
        self.environ = environ

    def read(self, size):
        return self.stream.read(size)

    def close(self):
        record(self.environ, "close")


class OnlyRead:
    """Without even close()."""

    def __init__(self, data):
        self.read = io.BytesIO(data).read


class Middleware:
    """Hides the wrapper, as middleware does."""

    def __init__(self, inner):
        self.inner = inner
        self.chunks = iter(inner)

    def __iter__(self):
        for chunk in self.chunks:
            yield chunk.swapcase()

    def close(self):
        self.inner.close()


@path
def file(environ, start_response):
    """Returns a file through the wrapper, in the way the query says."""
    options = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
    wrapper = environ["wsgi.file_wrapper"]
    how, name = options.get("how", "file"), options["name"]
    if how == "bytes":
        wrapped = wrapper(WithoutDescriptor(CONTENT, environ), 8192)
    elif how == "read":
        wrapped = wrapper(OnlyRead(CONTENT))
    else:
        opened = Watched(name, environ) if how != "buffered" else open(name, "rb")
        opened.seek(int(options.get("offset", 0)))
        wrapped = wrapper(opened, int(options["block"])) if "block" in options else wrapper(opened)
    length = [("Content-Length", options["length"])] if "length" in options else []
    start_response("200 OK", [TEXT, *length])
    if how == "aside":
        return [b"not the file"]
    if how == "middleware":
        return Middleware(wrapped)
    if how == "generator":
        return (chunk for chunk in wrapped)
    return wrapped


def ask(server, folder, token="", method="GET", content=CONTENT, **options):
    name = Path(folder, "content")
    name.write_bytes(content)
    options["name"] = str(name)
    pairs = [f"{key}={query(str(value))}" for key, value in options.items()]
    return server.ask(method, f"/file/{token}?{'&'.join(pairs)}")


@check("W41", "wsgi.file_wrapper is offered and sends files and the like", with_validator=True)
def wrapper(server):
    with TemporaryDirectory() as folder:
        for how in ["file", "buffered", "bytes", "read", "generator"]:
            for options in [{}, {"length": len(CONTENT)}]:
                if how == "read" and server.prefix:
                    continue  # The validator closes what it wraps.
                response = ask(server, folder, how=how, **options)
                expect(f"{how} {options}: status", 200, response.status)
                expect(f"{how} {options}: body", True, response.body == CONTENT and response.complete)
        response = ask(server, folder, block=100)
        expect("small blocks", True, response.body == CONTENT)
        expect("an empty file", (b"", True), (lambda r: (r.body, r.complete))(ask(server, folder, content=b"")))


@check("W41", "from the current offset to Content-Length, no more")
def parts(server):
    with TemporaryDirectory() as folder:
        expect("from 5", True, ask(server, folder, offset=5).body == CONTENT[5:])
        expect("from the end", b"", ask(server, folder, offset=len(CONTENT)).body)
        response = ask(server, folder, length=100_000)
        expect("100 000 of it", True, response.body == CONTENT[:100_000] and response.complete)
        response = ask(server, folder, offset=1_000, length=100_000)
        expect("100 000 from 1 000", True, response.body == CONTENT[1_000:101_000] and response.complete)
        response = ask(server, folder, content=b"short", length=10)
        # Either it is noticed before anything is sent, or the client sees that something is missing.
        if response.status != 500:
            expect("a file shorter than Content-Length", (b"short", False), (response.body, response.complete))


@check("W41", "close() is called; nothing is sent unless the wrapper is returned; middleware sees chunks")
def closing(server):
    with TemporaryDirectory() as folder:
        for how in ["file", "bytes", "middleware"]:
            token = server.token()
            ask(server, folder, token, how=how)
            server.await_event(token, "close")
            expect(f"{how}: close()", ["close"], server.events(token))
        expect("put aside", b"not the file", ask(server, folder, how="aside").body)
        expect("through middleware", True, ask(server, folder, how="middleware").body == CONTENT.swapcase())
        token = server.token()
        response = ask(server, folder, token, method="HEAD", length=len(CONTENT))
        expect("HEAD", (200, str(len(CONTENT))), (response.status, response["content-length"]))
        server.await_event(token, "close")


@check("W41", "close() is called when the client leaves in the middle")
def left(server):
    with TemporaryDirectory() as folder:
        name = Path(folder, "large")
        with open(name, "wb") as large:
            os.truncate(large.fileno(), 64 << 20)
        token = server.token()
        connection = server.connect(receive_buffer=4096)
        connection.request("GET", f"/file/{token}?name={query(str(name))}")
        expect("status", 200, connection.head().status)
        connection.close()
        server.await_event(token, "close")
        expect("close()", ["close"], server.events(token))


@check("W42", "a file that shrinks while it is sent ends the connection")
def shrinking(server):
    size = 64 << 20
    with TemporaryDirectory() as folder:
        name = Path(folder, "shrinking")
        with open(name, "wb") as large:
            os.truncate(large.fileno(), size)
        with server.connect(receive_buffer=4096) as connection:
            connection.request("GET", f"/file?name={query(str(name))}&length={size}")
            require("status", 200, connection.head().status)
            connection.take(1)
            os.truncate(name, 4096)
            expect("cut", True, len(connection.rest()) < size - 1)
        expect("the server goes on", True, server.is_answering())


@path
def hinting(environ, start_response):
    hint = environ["wsgi.early_hints"]
    hint([("Link", "</a.css>; rel=preload; as=style"), ("Link", "</b.js>; rel=preload; as=script")])
    hint([("Link", "</c.js>; rel=preload")])
    start_response("200 OK", [TEXT])
    return [b"hinted"]


@check("WX", "wsgi.early_hints sends 103 before the answer", with_validator=True)
def early_hints(server):
    with server.connect() as connection:
        connection.request("GET", server.path("/hinting"))
        links = []
        while (response := connection.response()).status == 103:
            links += response.all("link")
        expect("links", ["</a.css>", "</b.js>", "</c.js>"], [link.split(";")[0] for link in links])
        expect("answer", (200, "hinted"), (response.status, response.text))
    with server.connect() as connection:
        connection.request("GET", server.path("/hinting"), version="1.0")
        expect("first status for HTTP/1.0", 200, connection.response().status)
