"""The Python half of Portico's gateways. Runs inside the embedded interpreter, before any application."""

import importlib
import io
import logging
import os
import signal
import sys
import threading
import traceback

import _portico


class ApplicationNotFound(Exception):
    """The configuration names something that is not there; no traceback is needed to see it."""


def load(module, name, directory):
    """The application `module:name`, with `directory` first on the path, as an interpreter started there would have it."""
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    if directory:
        if directory not in sys.path:
            sys.path.insert(0, directory)
        sys.argv = [os.path.join(directory, module.replace(".", os.sep) + ".py")]
    try:
        target = importlib.import_module(module)
    except ModuleNotFoundError as error:
        # Only what was asked for: a module that this one fails to import is the application's own failure.
        if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
            raise ApplicationNotFound(
                f"there is no module {error.name!r} in {directory or 'sys.path'} or among the packages of {sys.prefix}"
            ) from None
        raise
    for part in name.split("."):
        call = part.endswith("()")
        try:
            target = getattr(target, part.removesuffix("()"))
        except AttributeError:
            names = [n for n, v in vars(target).items() if callable(v) and not n.startswith("_")]
            near = [n for n in names if n.lower() in ("app", "application", "asgi", "wsgi", part.lower())]
            hint = f"; it has {', '.join(near)}" if near else ""
            raise ApplicationNotFound(f"module {module!r} has no attribute {part!r}{hint}") from None
        if call:
            target = target()
    if not callable(target):
        raise ApplicationNotFound(f"{module}:{name} is {type(target).__name__}, which cannot be called: "
                                  "neither a WSGI nor an ASGI application")
    return target


def format_exception(error):
    """The traceback without the frames of this module."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in ("<portico>", "<string>"):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()


# Streams


class LogStream(io.TextIOBase):
    """Standard output or standard error: each line is a record of the log; a write that ends a line is one record."""

    def __init__(self, level, descriptor):
        self._level = level
        self._descriptor = descriptor
        self._pending = threading.local()

    encoding = "utf-8"
    errors = "backslashreplace"

    def writable(self):
        return True

    def fileno(self):
        return self._descriptor

    def isatty(self):
        return False

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        whole = getattr(self._pending, "text", "") + text
        if whole.endswith("\n"):
            self._pending.text = ""
            self._emit(whole)
        elif "\n" in whole and len(whole) > 65536:
            done, _, rest = whole.rpartition("\n")
            self._pending.text = rest
            self._emit(done)
        else:
            self._pending.text = whole
        return len(text)

    def flush(self):
        text = getattr(self._pending, "text", "")
        self._pending.text = ""
        self._emit(text)

    def _emit(self, text):
        text = text.rstrip("\n")
        if text:
            _portico.write(self._level, text.encode("utf-8", "backslashreplace").decode("utf-8"))


class LogHandler(logging.Handler):
    """For an application that does not configure logging: warnings and worse, with their own levels."""

    def emit(self, record):
        try:
            _portico.write(record.levelno, f"{record.name}: {self.format(record)}")
        except Exception:
            self.handleError(record)


def redirect_streams():
    sys.stdout = LogStream(logging.INFO, 1)
    sys.stderr = LogStream(logging.WARNING, 2)
    logging.lastResort = LogHandler(logging.WARNING)


# Signals: the server's own. What an application installs for those that stop or reload it is remembered, not called.

_SERVER_SIGNALS = {
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTTIN,
    signal.SIGTTOU, signal.SIGPIPE,
}
_installed = {}
_signal, _getsignal = signal.signal, signal.getsignal


def _set_signal(number, handler):
    if number in _SERVER_SIGNALS:
        previous = _installed.get(number, signal.SIG_DFL)
        _installed[number] = handler
        return previous
    return _signal(number, handler)


def _get_signal(number):
    return _installed.get(number, signal.SIG_DFL) if number in _SERVER_SIGNALS else _getsignal(number)


signal.signal, signal.getsignal = _set_signal, _get_signal


# Forks: a child of the application's own making must not go on as a second server.

server_pid = os.getpid()


def is_child():
    return os.getpid() != server_pid


# WSGI

from io import BytesIO  # noqa: E402


class RequestBody(io.BufferedReader):
    """`wsgi.input` over a body that is still arriving."""

    def __init__(self, read):
        super().__init__(_RawBody(read), 65536)


class _RawBody(io.RawIOBase):
    def __init__(self, read):
        self._read = read

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class ErrorStream:
    """`wsgi.errors`: text of any kind, into the log."""

    def write(self, text):
        return sys.stderr.write(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        sys.stderr.flush()


class FileWrapper:
    """`wsgi.file_wrapper`: sent by the kernel when it is what the server is given, else read block by block."""

    def __init__(self, filelike, block_size=65536):
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.filelike.read(self.block_size)
        if not block:
            raise StopIteration
        return block


def base_environ(is_multithreaded, is_multiprocess):
    return {
        "wsgi.version": (1, 0),
        "wsgi.errors": ErrorStream(),
        "wsgi.multithread": is_multithreaded,
        "wsgi.multiprocess": is_multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "portico",
    }


# Gateways


def gateway_of(application):
    """`asgi`, `asgi2` or `wsgi`, decided as asgiref does: by what is a coroutine function."""
    import inspect

    if inspect.isclass(application):
        # ASGI 2: called with the scope, the instance is called again.
        return "asgi2" if inspect.iscoroutinefunction(getattr(application, "__call__", None)) else "wsgi"
    if inspect.iscoroutinefunction(application):
        return "asgi"
    call = getattr(application, "__call__", None)
    if inspect.iscoroutinefunction(call):
        return "asgi"
    try:
        parameters = [
            p for p in inspect.signature(application).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
        ]
    except (TypeError, ValueError):
        return "wsgi"
    return {1: "asgi2", 2: "wsgi", 3: "asgi"}.get(len(parameters), "wsgi")
