"""What makes an interpreter at home in a server's process: output into the log, signals, forks, and the end.

Runs before any application's code.
"""

import atexit
import codecs
import io
import logging
import os
import signal
import sys
import threading
import traceback

import _portico

# Output: the log gets records, whoever writes and however.

_emitted = threading.local()  # the level of the record that a handler of `logging` is writing
LONGEST = 1 << 16
_server = os.getpid()


class _Partial:
    """The line that a thread has begun; what is left of it when the thread ends is a record, too."""

    __slots__ = ("stream", "text", "decoder")

    def __init__(self, stream):
        self.stream = stream
        self.text = ""
        self.decoder = None

    def __del__(self):
        # In a forked process the other threads' lines are not its own to end.
        try:
            if os.getpid() == _server:
                self.stream._emit(self.text)
        except Exception:
            pass  # So late that there is no log any more.


class LogStream(io.TextIOBase):
    """`sys.stdout` and `sys.stderr`: each line is a record of the log; lines written at once are one record."""

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None
    mode = "w"
    line_buffering = True
    write_through = False
    closed = False

    def __init__(self, name, level, descriptor):
        self.name = name
        self._level = level
        self._descriptor = descriptor
        self._threads = threading.local()
        self.buffer = LogBuffer(self)

    def __repr__(self):
        return f"<portico.LogStream name={self.name!r} mode='w' encoding='utf-8'>"

    def writable(self):
        return True

    def fileno(self):
        return self._descriptor

    def isatty(self):
        return False

    def reconfigure(self, **options):
        """How the log is encoded is the server's choice."""

    def detach(self):
        raise io.UnsupportedOperation("detach")

    def close(self):
        self.flush()

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._feed(self._partial(), text)
        return len(text)

    def flush(self):
        partial = self._partial()
        text, partial.text = partial.text, ""
        self._emit(text)

    def _forget(self):
        partial = self._partial()
        partial.text, partial.decoder = "", None

    def _partial(self):
        try:
            return self._threads.partial
        except AttributeError:
            self._threads.partial = partial = _Partial(self)
            return partial

    def _feed(self, partial, text):
        text, partial.text = partial.text + text, ""
        if not text.endswith("\n"):
            # What is not ended yet waits for its end, within reason.
            done, newline, rest = text.rpartition("\n") if len(text) > LONGEST else ("", "", text)
            if len(rest) > LONGEST:
                done, newline, rest = text, "", ""
            partial.text = rest
            text = done + newline
        self._emit(text)

    def _emit(self, text):
        text = text.rstrip("\r\n")
        if not text:
            return
        level = getattr(_emitted, "level", None) or self._level
        if _is_child:
            return _write_all(2, (text + "\n").encode("utf-8", "backslashreplace"))
        try:
            _portico.write(level, text)
        except UnicodeEncodeError:
            _portico.write(level, text.encode("utf-8", "backslashreplace").decode("utf-8"))


class LogBuffer(io.BufferedIOBase):
    """`sys.stdout.buffer`: bytes, taken for UTF-8."""

    mode = "wb"
    closed = False

    def __init__(self, stream):
        self._stream = stream

    @property
    def name(self):
        return self._stream.name

    @property
    def raw(self):
        return self

    def writable(self):
        return True

    def fileno(self):
        return self._stream.fileno()

    def isatty(self):
        return False

    def write(self, data):
        if isinstance(data, str):
            raise TypeError("a bytes-like object is required, not 'str'")
        data = bytes(memoryview(data).cast("B"))
        partial = self._stream._partial()
        if partial.decoder is None:
            partial.decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        text = partial.decoder.decode(data)
        if text:
            self._stream._feed(partial, text)
        return len(data)

    def flush(self):
        self._stream.flush()

    def detach(self):
        raise io.UnsupportedOperation("detach")

    def close(self):
        self.flush()


def _write_all(descriptor, data):
    while data:
        try:
            data = data[os.write(descriptor, data):]
        except BlockingIOError:
            continue
        except OSError:
            return


_emit_to_stream = logging.StreamHandler.emit
_print_exception = traceback.print_exception


def _emit_with_level(self, record):
    # Never below what is printed: what an application chose to write is not dropped for being of little importance.
    _emitted.level = max(record.levelno, logging.INFO)
    try:
        _emit_to_stream(self, record)
    finally:
        _emitted.level = None


def _print_whole_exception(exc, /, *arguments, **options):
    """Written line by line, a traceback would be as many records."""
    if len(arguments) > 3:  # value, tb, limit, file, chain
        stream, rest = arguments[3], (arguments[:3], arguments[4:])
    else:
        stream, rest = options.pop("file", None), None
    stream = sys.stderr if stream is None else stream
    text = io.StringIO() if isinstance(stream, LogStream) else stream
    if rest is None:
        _print_exception(exc, *arguments, file=text, **options)
    else:
        _print_exception(exc, *rest[0], text, *rest[1], **options)
    if text is not stream:
        stream.write(text.getvalue())


def _thread_failed(failure):
    if failure.exc_type is SystemExit:
        return
    name = failure.thread.name if failure.thread is not None else threading.get_ident()
    trace = traceback.format_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    _record(logging.ERROR, f"exception in thread {name}:\n" + "".join(trace))


def _unraisable(failure):
    trace = traceback.format_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    what = failure.err_msg or "Exception ignored in"
    if failure.object is not None:
        try:
            what += f": {failure.object!r}"
        except Exception:
            what += f": an object of type {type(failure.object).__name__}"
    _record(logging.ERROR, what + "\n" + "".join(trace))


def _record(level, text):
    _emitted.level = level
    try:
        sys.stderr.write(text if text.endswith("\n") else text + "\n")
    finally:
        _emitted.level = None


def redirect_output():
    for stream in sys.stdout, sys.stderr:
        if stream is not None:
            stream.flush()
    sys.stdout = sys.__stdout__ = LogStream("<stdout>", logging.INFO, 1)
    sys.stderr = sys.__stderr__ = LogStream("<stderr>", logging.WARNING, 2)
    logging.StreamHandler.emit = _emit_with_level
    logging.lastResort.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    traceback.print_exception = _print_whole_exception
    threading.excepthook = _thread_failed
    sys.unraisablehook = _unraisable


# Signals. Some are the server's own: what an application installs for them is remembered, shown when it asks, and in force
# in the processes it forks, but not called here. All others are the application's. Their handlers run on the main thread,
# which usually waits for connections; the byte that CPython writes for each signal wakes it.

_SERVER_SIGNALS = {
    signal.SIGINT: signal.default_int_handler, signal.SIGPIPE: signal.SIG_IGN, signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL, signal.SIGUSR1: signal.SIG_DFL, signal.SIGUSR2: signal.SIG_DFL,
    signal.SIGTTIN: signal.SIG_DFL, signal.SIGTTOU: signal.SIG_DFL,
}
_signal, _getsignal, _set_wakeup_fd = signal.signal, signal.getsignal, signal.set_wakeup_fd
_wakeup = -1  # where CPython writes
_application_wakeup = -1  # where the application wants it to


def _set_signal(signalnum, handler):
    if signalnum not in _SERVER_SIGNALS:
        return _signal(signalnum, handler)
    if threading.get_ident() != threading.main_thread().ident:
        raise ValueError("signal only works in main thread of the main interpreter")
    if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
        raise TypeError("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
    previous, _SERVER_SIGNALS[signalnum] = _SERVER_SIGNALS[signalnum], handler
    return previous


def _get_signal(signalnum):
    return _SERVER_SIGNALS[signalnum] if signalnum in _SERVER_SIGNALS else _getsignal(signalnum)


def _set_application_wakeup(fd, *, warn_on_full_buffer=True):
    global _application_wakeup
    _set_wakeup_fd(fd, warn_on_full_buffer=warn_on_full_buffer)  # Raises what there is to raise.
    _set_wakeup_fd(_wakeup, warn_on_full_buffer=False)
    previous, _application_wakeup = _application_wakeup, fd
    return previous


def take_signals():
    """Begins to be woken by signals; the result is the descriptor to read from."""
    global _wakeup
    signal.signal, signal.getsignal, signal.set_wakeup_fd = _set_signal, _get_signal, _set_application_wakeup
    reading, _wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    _set_wakeup_fd(_wakeup, warn_on_full_buffer=False)
    return reading


def pass_signals_on(numbers):
    """Some came: an application that has a descriptor of its own is told as well."""
    numbers = bytes(number for number in numbers if number != _interruption)
    if numbers and _application_wakeup >= 0:
        try:
            os.write(_application_wakeup, numbers)
        except OSError:
            pass


# Deadlines. What has had its time is made to leave by an exception; where it stands is asked of `faulthandler`, which answers
# without the interpreter's lock.


class RequestTimeout(BaseException):
    """Raised in an application whose request has had its time (`timeouts.request`), or that has blocked its event loop for too
    long (`timeouts.stuck`). The client has been answered; clean up and leave."""

    def __init__(self, message="the request's deadline has passed"):
        super().__init__(message)


RequestTimeout.__module__ = "portico"
_interruption = 0  # The signal.
# An exception in the middle of these would lose other tasks' turns.
_UNINTERRUPTED = ("asyncio.base_events", "asyncio.events", "selectors", "_portico_asgi", __name__)


def _interrupt(number, frame):
    if frame is not None and frame.f_globals.get("__name__") in _UNINTERRUPTED:
        return
    if _portico.is_overdue():
        raise RequestTimeout("the event loop was blocked for too long, or by a request whose deadline has passed")


def prepare_deadlines(interruption, stack, output):
    """Listens to the signal `interruption` on the main thread; the signal `stack` has any thread write where it stands to the
    descriptor `output`."""
    import faulthandler

    global _interruption
    _interruption = interruption
    _signal(interruption, _interrupt)
    faulthandler.register(stack, file=output, all_threads=False, chain=False)


def stack(thread_id):
    """Where a thread stands, innermost last."""
    frame = sys._current_frames().get(thread_id)
    return "".join(traceback.format_stack(frame)).rstrip() if frame is not None else ""


# Forks. The child has the server's sockets and memory but none of its threads: it must not serve, and cannot log.

_is_child = False
_masks = threading.local()


def _before_fork():
    # One that reaches the child before it has handlers of its own would be lost in the server's.
    _masks.saved = signal.pthread_sigmask(signal.SIG_BLOCK, _SERVER_SIGNALS)


def _after_fork_in_parent():
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.saved)


def _after_fork_in_child():
    global _is_child
    _is_child = True
    _portico.forked()
    for stream in sys.__stdout__, sys.__stderr__:
        stream._forget()  # What the parent has begun to say, it will say itself.
    signal.signal, signal.getsignal, signal.set_wakeup_fd = _signal, _getsignal, _set_wakeup_fd
    if _wakeup >= 0:
        _set_wakeup_fd(-1)
    for number, handler in _SERVER_SIGNALS.items():
        _signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.saved)


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


# The end.

_has_ended = False


def _exit_handlers_run():
    global _has_ended
    _has_ended = True


def prepare_end():
    """On the main thread, when nothing is served any more."""
    _set_wakeup_fd(-1)
    atexit.register(_exit_handlers_run)  # The last to be registered is the first to be called.


def end():
    """What an interpreter does at its end, without taking itself apart: threads of the server are still in it."""
    threading._shutdown()
    _run_exit_handlers()


def abandon(limit):
    """The time is up: says what holds the end up, and does what is left to do. On any thread."""
    for ident, frame in sys._current_frames().items():
        thread = threading._active.get(ident)
        if ident == threading.get_ident() or _may_be_left(thread, frame):
            continue
        name = thread.name if thread is not None else ident
        stack = "".join(traceback.format_stack(frame)).rstrip()
        _record(logging.WARNING, f"thread {name} did not end within {limit}; it stands at\n{stack}")
    if not _has_ended:
        _run_exit_handlers()


def _may_be_left(thread, frame):
    """Daemons of the application's, and a main thread that only waits. (The server's own threads are dummies to Python.)"""
    if thread is threading.main_thread():
        return frame.f_code.co_filename in ("<string>", "<portico>", threading.__file__)
    return thread is not None and thread.daemon and not isinstance(thread, threading._DummyThread)


def _run_exit_handlers():
    _exit_handlers_run()
    atexit._run_exitfuncs()
    for stream in sys.stdout, sys.stderr:
        try:
            stream.flush()
        except Exception:
            pass
