"""The Python half of Portico's gateways. Runs inside the embedded interpreter, before any application."""

import importlib.machinery
import inspect
import io
import os
import sys
import time
import traceback

from io import BytesIO  # noqa: F401, for bodies that are complete


# Python takes bytecode for good when its source has the same size and, in whole seconds, the same time: of a file that was
# saved twice within a second, what was first imported would run for ever. So what was changed just now is not kept.
_keep_bytecode = importlib.machinery.SourceFileLoader._cache_bytecode


def _keep_bytecode_of_old_sources(loader, source_path, bytecode_path, data):
    if time.time() - os.stat(source_path).st_mtime > 2:
        _keep_bytecode(loader, source_path, bytecode_path, data)


importlib.machinery.SourceFileLoader._cache_bytecode = _keep_bytecode_of_old_sources


class ApplicationNotFound(Exception):
    """The configuration names something that is not there; no traceback is needed to see it."""


def load(module, name, directory):
    """The application `module:name`, with `directory` first on the path, as an interpreter started there would have it."""
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    if directory:
        if sys.path[:1] != [directory]:
            sys.path.insert(0, directory)
        sys.argv = [os.path.join(directory, module.replace(".", os.sep) + ".py")]
    _reject_namesake(module, directory)
    try:
        __import__(module)  # Unlike importlib's, its tracebacks do not show the import system itself.
        target = sys.modules[module]
    except ModuleNotFoundError as error:
        # Only what was asked for: a module that this one fails to import is the application's own failure.
        if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
            raise ApplicationNotFound(
                f"there is no module {error.name!r} in {directory or 'sys.path'} or among the packages of {sys.prefix}"
                + _did_you_mean(_module_names(error.name, directory), error.name)
            ) from None
        raise
    for part in name.split("."):
        attribute = part.removesuffix("()")
        try:
            target = getattr(target, attribute)
        except AttributeError as error:
            if _is_raised_inside(error):
                raise
            names = [n for n in dir(target) if not n.startswith("_") and callable(getattr(target, n, None))]
            raise ApplicationNotFound(
                f"module {module!r} has no attribute {attribute!r}" + _did_you_mean(names, attribute)) from None
        if part != attribute:
            target = target()
    _reject_misfit(target, f"{module}:{name}")
    return target


def _reject_namesake(module, directory):
    """Several sites share one interpreter, which has one module of a name: that of the site that came first."""
    top = module.partition(".")[0]
    loaded = sys.modules.get(top)
    if loaded is None or not directory:
        return
    wanted = importlib.machinery.PathFinder.find_spec(top, [directory])
    had = getattr(loaded, "__spec__", None)
    if wanted is not None and wanted.origin and had is not None and had.origin and wanted.origin != had.origin:
        raise ApplicationNotFound(
            f"module {top!r} was imported from {had.origin} before, so that {wanted.origin} cannot be: "
            "the sites of one server share one interpreter, and there is one module of a name")


def _is_raised_inside(error):
    """Whether the application's own code raised it: a property, or a module's `__getattr__`."""
    return error.__traceback__ is not None and error.__traceback__.tb_next is not None


def _module_names(name, directory):
    import pkgutil

    parent, _, _ = name.rpartition(".")
    package = sys.modules.get(parent)
    places = list(getattr(package, "__path__", [])) if parent else [directory or "."]
    return [(parent + "." if parent else "") + found.name for found in pkgutil.iter_modules(places)]


def _did_you_mean(names, wanted):
    import difflib

    near = difflib.get_close_matches(wanted.removesuffix(".py"), names, n=3)
    near += [n for n in names if n.rpartition(".")[2] in ("app", "application", "asgi", "wsgi") and n not in near]
    return f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""


def _reject_misfit(target, place):
    if not callable(target):
        raise ApplicationNotFound(
            f"{place} is of type {type(target).__name__!r}, which cannot be called: neither a WSGI nor an ASGI application")
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return
    if any(_takes(signature, count) for count in (2, 3, 1)):
        return
    hint = f"; if it makes the application, write {place}()" if _takes(signature, 0) else ""
    raise ApplicationNotFound(
        f"{place} takes {signature}: neither a WSGI application (environ, start_response) nor an ASGI application "
        f"(scope, receive, send){hint}")


def _takes(signature, count):
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def format_exception(error):
    """The traceback without the frames of this module."""
    return "".join(traceback.format_exception(type(error), error, _own_trace(error))).rstrip()


def _own_trace(error):
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in ("<portico>", "<string>"):
        trace = trace.tb_next
    return trace


def describe_chain(error):
    """The error and what led to it, the last first, as one list of texts: `error`, how it came from what follows, what it
    says; then for each of its frames, the innermost first, `frame`, file, line, function. No values of variables."""
    texts = []
    seen = set()
    while error is not None and id(error) not in seen and len(seen) < 20:
        seen.add(id(error))
        if error.__cause__ is not None:
            following, relation = error.__cause__, "cause"
        elif error.__context__ is not None and not error.__suppress_context__:
            following, relation = error.__context__, "context"
        else:
            following, relation = None, ""
        # Before it come the lines of a syntax error, behind it notes.
        says = [line for line in traceback.format_exception_only(type(error), error) if line[:1] != " "]
        texts += ["error", relation, says[0].strip() if says else type(error).__name__]
        frames = [(frame.f_code.co_filename, line, frame.f_code.co_name)
                  for frame, line in traceback.walk_tb(_own_trace(error))]
        if isinstance(error, SyntaxError) and error.filename and error.lineno:
            frames.append((error.filename, error.lineno, ""))
        # Where a recursion goes round and round, both ends say all there is.
        frames = frames if len(frames) <= 60 else frames[:10] + frames[-50:]
        for file, line, function in reversed(frames):
            texts += ["frame", str(file), str(line), function]
        error = following
    return texts


# WSGI


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


class EmptyBody:
    """`wsgi.input` of a request without a body. All of them share one: there is nothing in it to be used up, or closed."""

    __slots__ = ()
    closed = False

    def read(self, size=-1):
        return b""

    read1 = readline = read

    def readinto(self, buffer):
        return 0

    readinto1 = readinto

    def readlines(self, hint=-1):
        return []

    def readable(self):
        return True

    def writable(self):
        return False

    seekable = isatty = writable

    def close(self):
        pass

    flush = close

    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


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
        "wsgi.input": EmptyBody(),
        "SERVER_SOFTWARE": "portico",
    }


# Gateways


def gateway_of(application):
    """`asgi`, `asgi2` or `wsgi`, decided as asgiref does: by what is a coroutine function."""
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


# Development

_modules_seen = 0


def new_sources():
    """The files of imported modules that are neither Python's own nor installed, one a line; empty when none is new."""
    global _modules_seen
    if len(sys.modules) == _modules_seen:
        return ""
    _modules_seen = len(sys.modules)
    own = os.path.dirname(os.__file__) + os.sep
    files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    return "\n".join(
        sorted(
            os.path.abspath(file) for file in files
            if isinstance(file, str) and file.endswith(".py") and not file.startswith(own)
            and "site-packages" not in file and "dist-packages" not in file
        ))
