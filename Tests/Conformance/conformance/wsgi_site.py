"""The WSGI application that the checks talk to: a function for each path, and what they share."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from wsgiref.validate import validator

PATIENCE = 30.0
TEXT = ("Content-Type", "text/plain; charset=utf-8")

paths: dict[str, Callable] = {}
events: defaultdict[str, list] = defaultdict(list)
gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)


def path(function: Callable) -> Callable:
    """Serves the decorated WSGI application at the path of its name, and of everything below."""
    paths[function.__name__] = function
    return function


def text(start_response: Callable, body: str = "ok", status: str = "200 OK", *headers: tuple) -> list[bytes]:
    """An answer as most applications give it."""
    start_response(status, [TEXT, *headers])
    return [body.encode()]


def report(start_response: Callable, value: object) -> list[bytes]:
    """What the application saw, for the check to read."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(value).encode()]


def token_of(environ: dict) -> str:
    """The last part of the path: under it the request records, and by it a gate opens."""
    return environ["PATH_INFO"].rsplit("/", 1)[-1]


def wait(environ: dict) -> None:
    """Until the check opens the gate of this request."""
    if not gates[token_of(environ)].wait(PATIENCE):
        raise TimeoutError("nobody opened the gate")


def record(environ: dict, event: object) -> None:
    events[token_of(environ)].append(event)


@path
def hello(environ: dict, start_response: Callable) -> list[bytes]:
    return text(start_response, "hello")


def dispatch(environ: dict, start_response: Callable) -> Iterable[bytes]:
    name = environ["PATH_INFO"].split("/")[1]
    function = paths.get(name)
    if function is None:
        return text(start_response, f"there is no {name}", "404 Not Found")
    return function(environ, start_response)


validated = validator(dispatch)


def application(*arguments: object, **names: object) -> Iterable[bytes]:
    """Below `/validated`, the same with the standard library's validator around it."""
    environ, start_response = arguments
    path = environ["PATH_INFO"]
    if path.startswith("/events/"):
        return report(start_response, events[token_of(environ)])
    if path.startswith("/open/"):
        gates[token_of(environ)].set()
        return text(start_response)
    environ["conformance.call"] = (len(arguments), sorted(names))
    if not path.startswith("/validated/"):
        return dispatch(environ, start_response)
    environ["SCRIPT_NAME"] += "/validated"
    environ["PATH_INFO"] = path.removeprefix("/validated")
    return validated(environ, start_response)
