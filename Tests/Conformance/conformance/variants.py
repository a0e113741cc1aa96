"""Applications of every shape, for a server that has to find out which gateway they want."""

import functools

from .asgi_site import text as asgi_text
from .wsgi_site import text as wsgi_text


async def answer(scope, receive, send):
    if scope["type"] == "http":
        await asgi_text(send, b"asgi")


class Double:
    """ASGI 2: called with the scope, then awaited with receive and send."""

    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        await answer(self.scope, receive, send)


def double_function(scope):
    async def instance(receive, send):
        await answer(scope, receive, send)

    return instance


class Single:
    """ASGI 3 as an object."""

    async def __call__(self, scope, receive, send):
        await answer(scope, receive, send)

    async def method(self, scope, receive, send):
        await answer(scope, receive, send)


class Synchronous:
    """WSGI as an object."""

    def __call__(self, environ, start_response):
        return wsgi_text(start_response, "wsgi")


async def with_option(option, scope, receive, send):
    await answer(scope, receive, send)


def wsgi_function(environ, start_response):
    return wsgi_text(start_response, "wsgi")


single_object = Single()
single_method = Single().method
partial = functools.partial(with_option, "an option")
wsgi_object = Synchronous()
