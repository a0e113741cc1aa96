"""`conformance.asgi:application`: every path that the ASGI checks use."""

from .asgi_core import ASGI  # noqa: F401: the checklist
from .asgi_extensions import EXTENSIONS  # noqa: F401: the checklist
from .asgi_http import HTTP  # noqa: F401: the checklist
from .asgi_lifespan import LIFESPAN  # noqa: F401: the checklist
from .asgi_loop import LOOP  # noqa: F401: the checklist
from .asgi_site import application  # noqa: F401: what the server imports
from .asgi_websocket import WEBSOCKET  # noqa: F401: the checklist
