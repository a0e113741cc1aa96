"""L1 to L7: lifespan."""

import signal
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from .asgi_site import socket_path
from .asgi_websocket import dial
from .servers import Server, StartError
from .suite import Checklist, eventually, expect, one_of, require

LIFESPAN = Checklist("lifespan", [f"L{number}" for number in range(1, 8)])
check = LIFESPAN.check


def serving(server: Server, name: str, **changes) -> Server:
    return server.another(application=f"conformance.lifespan_variants:{name}", **changes)


@contextmanager
def patient(server: Server):
    """A server whose application starts and ends when told, and the files that tell it."""
    with TemporaryDirectory() as folder:
        start, end = Path(folder, "start"), Path(folder, "end")
        environment = (("CONFORMANCE_START", str(start)), ("CONFORMANCE_END", str(end)))
        other = serving(server, "patient", environment=environment)
        try:
            yield other, start, end
        finally:
            start.touch()
            end.touch()
            other.kill()


@check("L1", "once in the event loop that serves requests")
def one_loop(server):
    for _ in range(3):
        seen = server.get("/lifespan").json()
    expect("how many", 1, len(seen["seen"]))
    expect("the same loop", seen["loop"], seen["seen"][0]["loop"])


@check("L2", "scope and first event")
def scope(server):
    seen = server.get("/lifespan").json()["seen"][0]
    expect("keys", {"type", "asgi", "state"}, set(seen["keys"]))
    expect("asgi.version", "3.0", seen["asgi"]["version"])
    expect("asgi.spec_version", one_of("2.0", "1.0", None), seen["asgi"].get("spec_version"))
    if server.is_portico:
        expect("asgi.spec_version", "2.0", seen["asgi"].get("spec_version"))
    expect("event", {"type": "lifespan.startup"}, seen["event"])
    expect("state", True, seen["state"])


@check("L2", "what is no lifespan event raises out of send", alone=True)
def invalid_events(server):
    with serving(server, "misspeaking") as other:
        expect("answer", "hello", other.get("/").text)
        eventually("all four are refused", lambda: other.log().count("refused one") == 4)


@check("L3", "nothing is served before startup is complete", alone=True)
def waits(server):
    with patient(server) as (other, start, _):
        other.launch()
        other.await_log("received lifespan.startup")
        expect("listening before it is complete", False, other.is_listening())
        start.touch()
        eventually("the server listens", other.is_listening)
        other.await_log("startup is over")
        expect("answer", "hello", other.get("/").text)


@check("L4", "an application that knows no lifespan is served without", alone=True)
def unknown(server):
    for name, answer in [("raising", "hello"), ("raising_late", "hello"), ("returning", "hello")]:
        try:
            with serving(server, name) as other:
                expect(f"{name}: answer", (200, answer), (lambda r: (r.status, r.text))(other.get("/")))
                expect(f"{name}: exit status", 0, other.stop()) if server.is_portico else None
        except StartError as error:
            expect(f"{name}: starts", True, str(error))


@check("L5", "startup.failed is logged, and the server ends", alone=True)
def failed(server):
    other = serving(server, "failing")
    try:
        other.launch()
        eventually("the server ends", lambda: other.process.poll() is not None)
        expect("exit status is a failure", True, other.process.returncode != 0)
        expect("the message is logged", True, "the database is on fire" in other.log())
        if server.is_portico:
            expect("it never listened", "", other.output())
    finally:
        other.kill()


@check("L6", "shutdown comes after the last response, and is waited for", alone=True)
def shutdown(server):
    with patient(server) as (other, start, end):
        start.touch()
        other.start()
        with other.connect() as connection:
            connection.request("GET", "/slow")
            other.await_log("slow request begun")
            other.process.send_signal(signal.SIGTERM)
            if server.is_portico:
                eventually("nobody is accepted", lambda: not accepts(other))
            expect("told before the response", False, "received lifespan.shutdown" in other.log())
            end.touch()
            expect("response", "slow", connection.response().text)
        eventually("the server ends", lambda: other.process.poll() is not None)
        log = other.log()
        require("shutdown was waited for", True, "shutdown is over" in log)
        order = [log.find(line) for line in ["slow request over", "received lifespan.shutdown", "shutdown is over"]]
        expect("order in the log", sorted(order), order)
        if server.is_portico:
            expect("exit status", 0, other.process.returncode)


def accepts(server: Server) -> bool:
    try:
        server.connect().close()
    except OSError:
        return False
    return True


@check("L6", "shutdown.failed is logged, and the server ends", alone=True)
def failed_shutdown(server):
    with serving(server, "failing_late") as other:
        expect("answer", "hello", other.get("/").text)
        other.stop()
        expect("the message is logged", True, "the lights stayed on" in other.log())


@check("L6", "startup has a limit", needs=("portico",), alone=True)
def limited_startup(server):
    other = serving(server, "never_starting", settings=("timeouts.start=1s",))
    try:
        other.launch()
        eventually("the server ends", lambda: other.process.poll() is not None)
        expect("exit status is a failure", True, other.process.returncode != 0)
        expect("it never listened", "", other.output())
        expect("the log says what was waited for", True, "lifespan" in other.log())
    finally:
        other.kill()


@check("L6", "shutdown has a limit", needs=("portico",), alone=True)
def limited_shutdown(server):
    with serving(server, "never_stopping", settings=("timeouts.drain=1s",)) as other:
        other.process.send_signal(signal.SIGTERM)
        other.await_log("asked to stop")
        eventually("the server ends", lambda: other.process.poll() is not None)


@check("L6", "a lifespan that dies meanwhile harms no request", alone=True)
def died(server):
    try:
        with serving(server, "dying") as other:
            expect("answer", "hello", other.get("/").text)
            if server.is_portico:
                other.await_log("lifespan lost heart")
            expect("answer", "hello", other.get("/").text)
    except StartError as error:
        expect("starts", True, str(error))


@socket_path
async def ws_state(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    state = scope["state"]
    key = state.get("key")
    state["key"] = "of a socket"
    state["shared"].append(1)
    await send({"type": "websocket.send", "text": f"{key} {len(state['shared'])}"})


@check("L7", "state is copied for each request and each WebSocket, what is within is shared")
def copies(server):
    first = server.get("/state").json()
    require("state is offered", True, first is not None)
    with dial(server, "/ws_state").opened() as client:
        expect("in a socket", f"from lifespan {first['shared'] + 1}", client.message())
    second = server.get("/state").json()
    expect("key", "from lifespan", second["key"])
    expect("shared", first["shared"] + 2, second["shared"])
