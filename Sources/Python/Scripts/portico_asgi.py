"""The asyncio loop that is a guest of the server's event loop, and what ASGI needs around it.

The loop never blocks and never runs by itself: the server calls `turn()` when callbacks are ready, when the next timer is
due, and when a descriptor of the application's became ready. `host` is the server's side: `wake()` asks for a turn from any
thread, `watch(fd)` begins to wait for the epoll descriptor.
"""

import asyncio
import atexit
import selectors
import sys
import threading
import traceback
import weakref

from asyncio import Task, base_events, events, tasks  # noqa: F401

HAS_EAGER_TASKS = sys.version_info >= (3, 12)


def make_root(loop):
    """The task that a loop runs for. Libraries take its end for that of the loop, and keep what is to live as long (anyio its
    threads) by it; where they find none, they keep it for the request alone."""

    async def root():
        await loop.create_future()

    task = loop.create_task(root())
    task._log_destroy_pending = False
    return task


def start_uvloop(host):
    """A uvloop that runs on a thread of its own and lets `host` run there what it was handed."""
    import uvloop

    loop = uvloop.new_event_loop()

    def run():
        asyncio.set_event_loop(loop)
        host.adopt()
        loop.add_reader(host.fileno(), host.run)
        loop._root = make_root(loop)
        try:
            while not hasattr(loop, "_ends"):
                run_on(loop)
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="uvloop", daemon=True)
    thread.start()
    # What the application's tasks do when they are cancelled is waited for; a loop that nobody has stopped is not.
    atexit.register(lambda: thread.join() if hasattr(loop, "_ends") else None)
    return loop


def run_on(loop):
    """Until it is stopped. An application that stops it, or leaves by an exception that ends loops, does not end the server."""
    try:
        loop.run_until_complete(loop._root)
    except (RuntimeError, asyncio.CancelledError):
        # It was stopped before its root was done, or that was cancelled by the application.
        if loop._root.done() and not hasattr(loop, "_ends"):
            loop._root = make_root(loop)
    except BaseException as error:
        traceback.print_exception(type(error), error, error.__traceback__)


def stop_running(loop):
    """Cancels what is left and stops a loop that runs by itself. Called on it."""
    loop._ends = True

    async def finish():
        left = asyncio.all_tasks() - {asyncio.current_task(), loop._root}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        loop._root.cancel()

    loop.create_task(finish())


class GuestSelector(selectors.EpollSelector):
    """Never waits; the server waits for its descriptor instead."""

    host = None

    def __init__(self):
        super().__init__()
        self._watched = False

    def register(self, fileobj, events, data=None):
        key = super().register(fileobj, events, data)
        # The first is the loop's own wake-up pipe, which only signals use: the server wakes the loop itself.
        if len(self.get_map()) > 1:
            self.watch()
        return key

    def watch(self):
        if not self._watched and self.host is not None:
            self._watched = True
            self.host.watch(self.fileno())

    def select(self, timeout=None):
        return super().select(0) if self._watched else []


class GuestLoop(asyncio.SelectorEventLoop):
    def __init__(self, host):
        self._host = host
        self._guest_selector = GuestSelector()
        super().__init__(self._guest_selector)
        self._guest_selector.host = host
        self._thread_id = threading.get_ident()

    def begin(self):
        """From here on this is the running loop of the calling thread."""
        self._thread_id = threading.get_ident()
        self.is_running = True.__bool__
        events.set_event_loop(self)
        events._set_running_loop(self)
        self._asyncgen_hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)
        self._root = make_root(self)
        # By which a root is known.
        self._root.add_done_callback(base_events._run_until_complete_cb)

    def turn(self):
        """Runs what is ready. The result is when to be called again, in seconds; negative: when woken."""
        self._run_once()
        if self._ready:
            return 0.0
        if self._scheduled:
            return max(0.0, self._scheduled[0]._when - self.time())
        return -1.0

    def end(self):
        """Cancels what is left, the root last, which runs in further turns. True when nothing is left, and all is told."""
        left = asyncio.all_tasks(self)
        for task in left - {self._root} or left:
            task.cancel()
        return not (left or self._ready)

    def finish(self):
        """After the last turn."""
        sys.set_asyncgen_hooks(*self._asyncgen_hooks)
        events._set_running_loop(None)
        events.set_event_loop(None)
        self._thread_id = None
        del self.is_running
        super().close()

    # What would run or stop the loop: it is running already, and does not stop before the server does.

    def run_forever(self):
        raise RuntimeError("This event loop is already running")

    def run_until_complete(self, future):
        raise RuntimeError("This event loop is already running")

    def stop(self):
        pass

    def close(self):
        raise RuntimeError("Cannot close a running event loop")

    # Asked for with every task and future: answered without a frame of Python.

    def set_debug(self, enabled):
        super().set_debug(enabled)
        self.get_debug = bool(enabled).__bool__

    def _write_to_self(self):
        self._host.wake()

    def add_signal_handler(self, signum, callback, *args):
        self._guest_selector.watch()
        super().add_signal_handler(signum, callback, *args)


def double_callable(application):
    """An ASGI 2 application as ASGI 3 has them."""

    async def adapted(scope, receive, send):
        await application(scope)(receive, send)

    return adapted


def task_registry():
    """The set of all tasks, where that is a `WeakSet` of the kind that is known here."""
    found = getattr(tasks, "_scheduled_tasks", getattr(tasks, "_all_tasks", None))
    parts = ("data", "_iterating", "_pending_removals", "_commit_removals")
    return found if type(found) is weakref.WeakSet and all(hasattr(found, part) for part in parts) else None


class ClientDisconnected(ConnectionError):
    """Raised by `send` once the client has left (ASGI HTTP 2.4)."""


def await_stack(coroutine):
    """Where a suspended coroutine waits, innermost last."""
    import traceback

    frames = []
    while coroutine is not None and len(frames) < 100:
        for kind in "cr", "gi", "ag":
            frame = getattr(coroutine, kind + "_frame", None)
            if frame is not None:
                frames.append((frame, frame.f_lineno))
                coroutine = getattr(coroutine, "gi_yieldfrom" if kind == "gi" else kind + "_await", None)
                break
        else:
            break
    return "".join(traceback.StackSummary.extract(iter(frames)).format()).rstrip()
