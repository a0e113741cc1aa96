"""WSGI applications without a framework: what the gateway itself costs."""

import os

HELLO = b"Hello, World!"
CHUNK = bytes(byte * 31 % 251 for byte in range(64 * 1024))
FILE = os.environ.get("BENCHMARK_FILE", "")


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [HELLO]


def echo(environ, start_response):
    """The request's body."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(body)))])
    return [body]


def stream(environ, start_response):
    """1 MiB in sixteen chunks of 64 KiB."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return (CHUNK for _ in range(16))


def file(environ, start_response):
    """The file $BENCHMARK_FILE: by the server's `wsgi.file_wrapper`, or block by block where it has none."""
    opened = open(FILE, "rb")
    size = os.fstat(opened.fileno()).st_size
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
    if "wsgi.file_wrapper" in environ:
        return environ["wsgi.file_wrapper"](opened, 64 * 1024)
    return blocks(opened)


def blocks(opened):
    with opened:
        while block := opened.read(64 * 1024):
            yield block
