"""The event loop that an application finds itself on: a guest of the server's, and a whole asyncio loop all the same."""

import asyncio
import contextvars
import gc
import os
import socket
import sys
import threading
import time

from .asgi_site import TEXT, body, path, query_of, record, report, start, text, token_of, wait
from .suite import Checklist, eventually, expect, require

LOOP = Checklist(
    "loop",
    [
        *["interleaving", "tasks", "timers", "threads", "subprocess", "sockets", "readers", "context", "executor"],
        *["exit", "exception", "cancel", "stop", "blocking", "hang", "recursion", "generators", "crash"],
    ],
)
check = LOOP.check
running: set = set()
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nobody's")


@path
async def gated(scope, receive, send):
    record(scope, "waiting")
    await wait(scope)
    await text(send, b"released")


@check("interleaving", "requests that wait leave the loop to others")
def interleaving(server):
    tokens = [server.token() for _ in range(50)]
    connections = [server.connect() for _ in tokens]
    for token, connection in zip(tokens, connections):
        connection.request("GET", f"/gated/{token}")
    for token in tokens:
        server.await_event(token, "waiting")
    for token, connection in reversed(list(zip(tokens, connections))):
        server.open(token)
        expect("answer", "released", connection.response().text)
        connection.close()


@path
async def background(scope, receive, send):
    """Goes on after its answer, in a task of its own."""

    async def later():
        await asyncio.sleep(0.01)
        await wait(scope)
        record(scope, "done")

    running.add(asyncio.create_task(later()))
    await text(send)


@path
async def grouped(scope, receive, send):
    """Awaits several things at once."""

    async def double(number):
        await asyncio.sleep(0)
        return number * 2

    doubled = await asyncio.gather(*[double(number) for number in range(5)])
    if sys.version_info >= (3, 11):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(double(number)) for number in doubled]
        doubled = [task.result() for task in tasks]
        async with asyncio.timeout(10):
            await asyncio.sleep(0)
    queue: asyncio.Queue = asyncio.Queue()
    asyncio.get_running_loop().call_soon(queue.put_nowait, "soon")
    done, _ = await asyncio.wait({asyncio.ensure_future(queue.get())})
    await report(send, [doubled, done.pop().result()])


@check("tasks", "create_task, gather, TaskGroup, timeout, Queue and call_soon")
def tasks(server):
    token = server.token()
    expect("background task: answer", "ok", server.get(f"/background/{token}").text)
    server.open(token)
    server.await_event(token, "done")
    doubled = [number * (4 if sys.version_info >= (3, 11) else 2) for number in range(5)]
    expect("groups", [doubled, "soon"], server.get("/grouped").json())


@path
async def timers(scope, receive, send):
    loop = asyncio.get_running_loop()
    order: list = []
    begun = loop.time()
    # Far enough apart for a machine that is busy while they are set.
    loop.call_later(0.6, order.append, 3)
    loop.call_later(0.1, order.append, 1)
    loop.call_at(begun + 0.4, order.append, 2)
    cancelled = loop.call_later(0.2, order.append, "cancelled")
    cancelled.cancel()
    await asyncio.sleep(1)
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.01)
    except asyncio.TimeoutError:
        order.append("timeout")
    await report(send, [order, loop.time() - begun >= 1])


@check("timers", "call_later, call_at, sleep and wait_for keep their order and wake an idle loop")
def timer_order(server):
    expect("order, and time passed", [[1, 2, 3, "timeout"], True], server.get("/timers").json())


@path
async def threaded(scope, receive, send):
    loop = asyncio.get_running_loop()
    own = threading.get_ident()
    elsewhere = await asyncio.to_thread(threading.get_ident)
    executed = await loop.run_in_executor(None, threading.get_ident)
    future = loop.create_future()
    threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, "from a thread")).start()
    result = await future
    outside = await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "back"), loop).result(9))
    inside = await asyncio.to_thread(lambda: asyncio.run(asyncio.sleep(0, "its own loop")))
    await report(send, [own != elsewhere, own != executed, result, outside, inside])


@check("threads", "to_thread, run_in_executor, call_soon_threadsafe, run_coroutine_threadsafe, asyncio.run elsewhere")
def threads(server):
    for _ in range(5):
        expect("results", [True, True, "from a thread", "back", "its own loop"], server.get("/threaded").json())


def cube(number: int) -> int:
    return number**3


@path
async def processes(scope, receive, send):
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        await report(send, await asyncio.get_running_loop().run_in_executor(pool, cube, 3))


@check("executor", "run_in_executor with a pool of processes")
def process_pool(server):
    expect("result", 27, server.get("/processes").json())


@path
async def spawning(scope, receive, send):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.exit(3)",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate(b"shout")
    shell = await asyncio.create_subprocess_shell("exit 4")
    await report(send, [output.decode(), process.returncode, await shell.wait()])


@check("subprocess", "create_subprocess_exec and _shell, with pipes")
def subprocesses(server):
    for _ in range(3):
        expect("results", ["SHOUT", 3, 4], server.get("/spawning").json())


@path
async def networking(scope, receive, send):
    """A server and a client of the application's own; and a request to its own server."""

    async def shout(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    own = await asyncio.start_server(shout, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*own.sockets[0].getsockname())
    writer.write(b"hello\n")
    answer = await reader.read()
    writer.close()
    own.close()
    reader, writer = await asyncio.open_connection(*scope["server"])
    writer.write(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    head = (await reader.read()).split(b"\r\n")[0]
    writer.close()
    names = await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    await report(send, [answer.decode(), head.decode(), names[0][4][0]])


@check("sockets", "start_server, open_connection (also to itself) and getaddrinfo")
def networks(server):
    for _ in range(3):
        expect("results", ["HELLO\n", "HTTP/1.1 200 OK", "127.0.0.1"], server.get("/networking").json())


@path
async def reading(scope, receive, send):
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    readable, writable = loop.create_future(), loop.create_future()
    loop.add_reader(ours, lambda: readable.done() or readable.set_result(ours.recv(10)))
    loop.add_writer(theirs, lambda: writable.done() or writable.set_result(theirs.send(b"ping")))
    seen = [await asyncio.wait_for(writable, 10), (await asyncio.wait_for(readable, 10)).decode()]
    seen += [loop.remove_reader(ours), loop.remove_writer(theirs), loop.remove_reader(ours)]
    theirs.send(b"pong")
    seen.append((await loop.sock_recv(ours, 10)).decode())
    ours.close()
    theirs.close()
    await report(send, seen)


@check("readers", "add_reader, add_writer and sock_recv")
def readers(server):
    for _ in range(3):
        expect("results", [4, "ping", True, True, False, "pong"], server.get("/reading").json())


@path
async def contextual(scope, receive, send):
    """A variable of its own, whatever others set meanwhile."""
    before = variable.get()
    variable.set(token_of(scope))
    record(scope, "set")
    await wait(scope)
    child = await asyncio.create_task(read_variable())
    thread = await asyncio.to_thread(variable.get)
    await report(send, [before, variable.get(), child, thread])


async def read_variable():
    return variable.get()


@check("context", "each request has its own context, which its tasks and threads inherit")
def contexts(server):
    tokens = [server.token() for _ in range(5)]
    connections = [server.connect() for _ in tokens]
    for token, connection in zip(tokens, connections):
        connection.request("GET", f"/contextual/{token}")
    for token in tokens:
        server.await_event(token, "set")
    for token, connection in zip(tokens, connections):
        server.open(token)
        expect("before, own, of a task, of a thread", ["nobody's", *[token] * 3], connection.response().json())
        connection.request("GET", f"/contextual/{token}")
        expect("of the next request on the connection", "nobody's", connection.response().json()[0])
        connection.close()


class Unspeakable(Exception):
    """Has no text at all."""

    def __str__(self):
        raise ValueError("cannot even say what is wrong")


RAISED = {
    "SystemExit": SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "GeneratorExit": GeneratorExit(),
    "BaseException": BaseException("base"),
    "CancelledError": asyncio.CancelledError(),
    "StopAsyncIteration": StopAsyncIteration(),
    "MemoryError": MemoryError(),
    "Unspeakable": Unspeakable(),
    "surrogates": RuntimeError("\udcff\0"),
}


@path
async def raise_it(scope, receive, send):
    kind, when = query_of(scope).split("-")
    if when == "after":
        await start(send)
        await body(send, b"part", more=True)
    if when == "task":
        task = asyncio.create_task(raise_in_task(kind))
        await asyncio.wait({task})
    raise RAISED[kind]


async def raise_in_task(kind):
    raise RAISED[kind]


@path
async def process(scope, receive, send):
    await report(send, os.getpid())


def expect_errors(server, kinds):
    pid = server.get("/process").json()
    for kind in kinds:
        for when in ["before", "after", "task"]:
            try:
                response = server.get(f"/raise_it?{kind}-{when}")
            except Exception as error:
                expect(f"{kind} {when}", "a response", f"{type(error).__name__}: {error}")
                continue
            expected = (200, "part", False) if when == "after" else (500, True, True)
            got = (response.status, response.text if when == "after" else True, response.complete)
            expect(f"{kind} {when}", expected, got)
    expect("the process", pid, server.get("/process").json())


@check("exit", "sys.exit() and the like in a handler or its task are errors like others")
def exits(server):
    expect_errors(server, ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"])


@check("exception", "exceptions that mean something to coroutines, or cannot be shown")
def exceptions(server):
    expect_errors(server, ["CancelledError", "StopAsyncIteration", "MemoryError", "Unspeakable", "surrogates"])


@path
async def callbacks(scope, receive, send):
    """Callbacks that fail, outside any request."""
    loop = asyncio.get_running_loop()
    token = token_of(scope)

    def fail():
        raise RuntimeError(f"in a callback {token}")

    def leave():
        raise SystemExit(f"from a callback {token}")

    loop.call_soon({"error": fail, "exit": leave}[query_of(scope)])

    async def fail_alone():
        raise RuntimeError(f"in a task {token}")

    task = asyncio.create_task(fail_alone())
    await asyncio.sleep(0.01)
    del task
    gc.collect()
    await text(send)


@check("exception", "errors in callbacks and in tasks that nobody awaits are logged, and harm nothing")
def failing_callbacks(server):
    for kind in ["error", "exit"]:
        token = server.token()
        expect(f"{kind}: answer", 200, server.get(f"/callbacks/{token}?{kind}").status)
        if kind == "error":
            server.await_log(f"in a callback {token}")
        server.await_log(f"in a task {token}")
        expect("others", True, server.is_answering())


@path
async def cancelling(scope, receive, send):
    """Cancels itself, in one way or another."""
    how = query_of(scope)
    if how == "task":
        asyncio.current_task().cancel()
        await asyncio.sleep(1)
    elif how == "swallowed":
        asyncio.current_task().cancel()
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            if sys.version_info >= (3, 11):
                asyncio.current_task().uncancel()
        await text(send, b"swallowed")
    elif how == "everybody":
        for task in asyncio.all_tasks():
            if task is asyncio.current_task():
                task.cancel()
        await asyncio.sleep(1)


@check("cancel", "a request that cancels its own task gets 500, the others go on")
def cancelled(server):
    for how in ["task", "everybody"]:
        expect(how, 500, server.get(f"/cancelling?{how}").status)
    expect("swallowed", "swallowed", server.get("/cancelling?swallowed").text)
    expect("others", True, server.is_answering())


@path
async def stopping(scope, receive, send):
    loop = asyncio.get_running_loop()
    outcome = "stopped"
    if query_of(scope) == "close":
        try:
            loop.close()
        except RuntimeError:
            outcome = "refused"
    elif query_of(scope) == "run":
        try:
            loop.run_until_complete(asyncio.sleep(0))
        except RuntimeError:
            outcome = "refused"
    else:
        loop.stop()
        await asyncio.sleep(0.01)
    await text(send, outcome.encode())


@check("stop", "loop.stop(), loop.close() and loop.run_until_complete() do not end the server", alone=True)
def stopped(server):
    with server.another() as other:
        for how, expected in [("stop", "stopped"), ("run", "refused"), ("close", "refused"), ("stop", "stopped")]:
            expect(how, expected, other.get(f"/stopping?{how}").text)
            expect(f"others after {how}", True, other.is_answering())


@path
async def blocking(scope, receive, send):
    time.sleep(1.5)
    await text(send)


@check("blocking", "a call that blocks the loop is named in the log", needs=("portico",))
def blocked(server):
    expect("answer", 200, server.get("/blocking").status)
    log = server.await_log("in blocking")
    expect("where it stood", True, "asgi_loop.py" in log and "time.sleep(1.5)" in log)


@path
async def hanging(scope, receive, send):
    record(scope, "hanging")
    await asyncio.get_running_loop().create_future()


@check("hang", "a handler that never answers leaves the others alone, and ends with its client")
def hung(server):
    connections = []
    for _ in range(20):
        token = server.token()
        connection = server.connect()
        connection.request("GET", f"/hanging/{token}")
        connections.append(connection)
        server.await_event(token, "hanging")
    expect("others", True, server.is_answering())
    for connection in connections:
        connection.close()
    expect("others", True, server.is_answering())


@path
async def recursing(scope, receive, send):
    def deepen():
        return deepen()

    async def deepen_async():
        return await deepen_async()

    await deepen_async() if query_of(scope) == "async" else deepen()


@check("recursion", "endless recursion is an error, not a crash")
def recursion(server):
    pid = server.get("/process").json()
    for how in ["sync", "async"]:
        expect(how, 500, server.get(f"/recursing?{how}").status)
    expect("the process", pid, server.get("/process").json())


@path
async def generating(scope, receive, send):
    """Leaves an asynchronous generator in its midst."""

    async def numbers():
        try:
            for number in range(100):
                yield number
        finally:
            record(scope, "closed")

    await start(send, 200, (TEXT,))
    async for number in numbers():
        await body(send, b"%d" % number, more=True)
        if number == 3:
            break
    await body(send)
    gc.collect()


@check("generators", "asynchronous generators that are left are closed")
def generators(server):
    token = server.token()
    expect("body", "0123", server.get(f"/generating/{token}").text)
    server.await_event(token, "closed")


@path
async def crashing(scope, receive, send):
    os._exit(3)


@check("crash", "a dead worker is replaced", needs=("portico", "processes"), alone=True)
def crashed(server):
    with server.another() as other:
        for _ in range(2):
            pid = other.get("/process").json()
            try:
                other.get("/crashing")
            except Exception:  # However the connection ends.
                pass
            eventually("it answers again", other.is_answering)
            require("another process", True, other.get("/process").json() != pid)
