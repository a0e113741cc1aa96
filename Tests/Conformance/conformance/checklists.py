"""Every checklist by its name, with the application it is about."""

from dataclasses import dataclass

from . import asgi, frameworks, interpreter, leaks, wsgi
from .suite import Checklist


@dataclass(frozen=True)
class Subject:
    """A checklist, and what the server under test serves meanwhile."""

    checklist: Checklist
    application: str
    gateway: str


ALL = {
    subject.checklist.name: subject
    for subject in [
        Subject(wsgi.WSGI, "conformance.wsgi:application", "wsgi"),
        Subject(wsgi.FAULTS, "conformance.wsgi:application", "wsgi"),
        Subject(interpreter.INTERPRETER, interpreter.APPLICATION, "wsgi"),
        Subject(asgi.ASGI, "conformance.asgi:application", "asgi"),
        Subject(asgi.HTTP, "conformance.asgi:application", "asgi"),
        Subject(asgi.WEBSOCKET, "conformance.asgi:application", "asgi"),
        Subject(asgi.LIFESPAN, "conformance.asgi:application", "asgi"),
        Subject(asgi.LOOP, "conformance.asgi:application", "asgi"),
        Subject(asgi.EXTENSIONS, "conformance.asgi:application", "asgi"),
        Subject(leaks.WSGI_LEAKS, "conformance.leaks_site:wsgi_application", "wsgi"),
        Subject(leaks.ASGI_LEAKS, "conformance.leaks_site:asgi_application", "asgi"),
        Subject(frameworks.FRAMEWORKS, "conformance.wsgi:application", "wsgi"),
    ]
}
