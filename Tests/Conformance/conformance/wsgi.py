"""`conformance.wsgi:application`: every path that the WSGI checks use."""

from . import wsgi_environ, wsgi_faults, wsgi_files, wsgi_input, wsgi_iterable, wsgi_response  # noqa: F401: paths
from .wsgi_site import application  # noqa: F401: what the server imports
from .wsgi_environ import WSGI  # noqa: F401: the checklist
from .wsgi_faults import FAULTS  # noqa: F401: the checklist
