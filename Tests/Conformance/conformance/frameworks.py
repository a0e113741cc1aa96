"""Real applications with real clients: each framework's own way through the gateways."""

import hashlib
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from .servers import Server
from .suite import Checklist, eventually, expect, require

FRAMEWORKS = Checklist(
    "frameworks",
    [
        *["django-wsgi", "django-asgi", "flask", "starlette", "fastapi", "quart", "falcon-wsgi", "falcon-asgi"],
        *["bottle"],
    ],
)
check = FRAMEWORKS.check
LINES = "".join(f"{number}\n" for number in range(1_000))
DOCUMENT = bytes(range(256)) * 4_000


@contextmanager
def serving(server: Server, application: str, gateway: str, directory: str = "frameworks", **changes):
    """The framework's application, and a client that keeps its connections and cookies."""
    import httpx  # Here, so that the other checks need nothing that is not in the standard library.

    with server.another(application=application, gateway=gateway, directory=directory, **changes) as other:
        host, port = other.address
        with httpx.Client(base_url=f"http://{host}:{port}", timeout=60) as client:
            yield other, client


def expect_failure(server: Server, client, path: str, token: str) -> None:
    """A view that raises: 500, and its traceback in the log."""
    expect("a view that fails", 500, client.get(path).status_code)
    server.await_log(f"RuntimeError: a view fails {token}")


def upload(client, path: str, **fields):
    return client.post(path, data=fields, files={"document": ("caf\xe9.bin", DOCUMENT)})


def connect(server: Server, path: str, **options):
    from websockets.sync.client import connect

    return connect(f"ws://{server.address[0]}:{server.address[1]}{path}", **options)


def expect_echo(server: Server, path: str) -> None:
    with connect(server, path) as socket:
        for message in ["hello", "\N{SNOWMAN}" * 20_000, ""]:
            socket.send(message)
            expect(f"echo of {len(message)}", message, socket.recv(timeout=60))
        expect("a ping's answer", True, socket.ping().wait(20))


@contextmanager
def tutorial(server: Server, gateway: str):
    """Django's tutorial project with a new database, a question and an administrator."""
    with TemporaryDirectory(prefix="conformance-") as folder:
        environment = {"DJANGO_SETTINGS_MODULE": "mysite.settings", "TUTORIAL_FOLDER": folder}
        Path(folder, "document.bin").write_bytes(DOCUMENT)
        prepare = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
from django.utils import timezone
from polls.models import Question
User.objects.create_superuser("admin", "a@example.org", "correct horse")
question = Question.objects.create(question_text="What's up?", pub_date=timezone.now())
for text in ["Not much", "The sky"]: question.choice_set.create(choice_text=text)
"""
        project = Path(__file__).parent.parent / "frameworks" / "tutorial"
        subprocess.run([server.kind.python, "-B", "-c", prepare], cwd=project, env=environment, check=True, timeout=120)
        changes = {"directory": "frameworks/tutorial", "environment": tuple(environment.items())}
        with serving(server, f"mysite.{gateway}:application", gateway, **changes) as both:
            yield both


def visit_tutorial(server: Server, gateway: str) -> None:
    with tutorial(server, gateway) as (other, client):
        expect("index", True, "What&#x27;s up?" in client.get("/polls/").text)
        expect("a path without its slash", 301, client.get("/polls/1").status_code)
        expect("a question that is not there", 404, client.get("/polls/9/").status_code)
        page = client.get("/polls/1/").text
        csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page).group(1)
        expect("a vote without a token", 403, client.post("/polls/1/vote/", data={"choice": "1"}).status_code)
        voted = client.post("/polls/1/vote/", data={"choice": "2", "csrfmiddlewaretoken": csrf})
        expect("a vote", (302, "/polls/1/results/"), (voted.status_code, voted.headers.get("location")))
        unchosen = client.post("/polls/1/vote/", data={"csrfmiddlewaretoken": csrf})
        expect("a vote without a choice", True, "select a choice" in unchosen.text)
        expect("results", True, "The sky -- 1 vote" in client.get("/polls/1/results/").text)
        visit_admin(client)
        visit_extras(other, client)


def visit_admin(client) -> None:
    login = client.get("/admin/", follow_redirects=True)
    expect("login page", (200, "/admin/login/"), (login.status_code, login.url.path))
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', login.text).group(1)
    form = {"username": "admin", "password": "correct horse", "csrfmiddlewaretoken": csrf, "next": "/admin/"}
    welcome = client.post("/admin/login/", data=form, follow_redirects=True, headers={"Referer": str(login.url)})
    expect("administration", True, "Site administration" in welcome.text)
    page = client.get("/admin/polls/question/add/")
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text).group(1)
    added = client.post(
        "/admin/polls/question/add/",
        follow_redirects=True,
        data={
            "question_text": "Na\xefve?", "pub_date_0": "2020-01-01", "pub_date_1": "00:00:00",
            "choice_set-TOTAL_FORMS": "1", "choice_set-INITIAL_FORMS": "0", "choice_set-0-choice_text": "Yes",
            "choice_set-0-votes": "7", "csrfmiddlewaretoken": csrf,
        },
    )  # fmt: skip
    expect("a question is added", True, "was added successfully" in added.text)
    expect("and can be seen", True, "Na\xefve?" in client.get("/polls/").text)


def visit_extras(server: Server, client) -> None:
    uploaded = upload(client, "/polls/upload/", note="n").json()
    expect("upload", [len(DOCUMENT), hashlib.sha256(DOCUMENT).hexdigest()], [uploaded["size"], uploaded["sha256"]])
    expect("its name", "caf\xe9.bin", uploaded["name"])
    expect("a stream", LINES, client.get("/polls/stream/").text)
    file = client.get("/polls/file/")
    expect("a file", True, file.content == DOCUMENT and file.headers["content-length"] == str(len(DOCUMENT)))
    expect("HEAD of a file", "", client.head("/polls/file/").text)
    expect("an asynchronous view", list(range(10)), client.get("/polls/concurrent/").json()["results"])
    token = server.token()
    expect_failure(server, client, f"/polls/failure/?token={token}", token)
    absolute = f"{client.base_url}/x/?y=1"
    expect("its own address", absolute, client.get("/polls/address/").json()["absolute"])


@check("django-wsgi", "the tutorial's project, administration, uploads, streams and files", alone=True)
def django_wsgi(server):
    visit_tutorial(server, "wsgi")


@check("django-asgi", "the tutorial's project, administration, uploads, streams and files", alone=True)
def django_asgi(server):
    visit_tutorial(server, "asgi")


@check("flask", "templates, sessions, uploads, streams, ranges of files", alone=True)
def flask(server):
    with serving(server, "flask_app:app", "wsgi") as (other, client):
        expect("template", "<p>Hello, &lt;caf\xe9&gt;!</p>", client.get("/hello/<caf\xe9>").text)
        expect("session", [1, 2, 3], [client.get("/count").json()["count"] for _ in range(3)])
        form = upload(client, "/form?a=1&a=2", name="na\xefve").json()
        expect("form", ["na\xefve", ["caf\xe9.bin", len(DOCUMENT)]], [form["name"], form["document"]])
        value = {"deep": [1, None, "\N{SNOWMAN}"]}
        expect("json", value, client.post("/json", json=value).json())
        expect("a body without a length", b"abc" * 9_999, client.post("/raw", content=iter([b"abc"] * 9_999)).content)
        expect("stream", LINES.replace("\n", " /stream\n"), client.get("/stream").text)
        whole, part = client.get("/file"), client.get("/file", headers={"Range": "bytes=10-19"})
        expect("file", (200, 300_000), (whole.status_code, len(whole.content)))
        expect("range", (206, b"f" * 10), (part.status_code, part.content))
        expect("not modified", 304, client.get("/file", headers={"If-None-Match": whole.headers["etag"]}).status_code)
        expect("its source", True, "send_file" in client.get("/own/source").text)
        expect("abort", 418, client.get("/own/tea").status_code)
        expect("method", 405, client.post("/stream").status_code)
        expect("url", f"{client.base_url}/url?q=1", client.get("/url?q=1").json()["url"])
        token = other.token()
        expect_failure(other, client, f"/failure/{token}", token)


@check("starlette", "lifespan, streams, server-sent events, files, background tasks, WebSockets", alone=True)
def starlette(server):
    with serving(server, "starlette_app:app", "asgi") as (other, client):
        expect("lifespan state", "hello from lifespan", client.get("/greeting").json()["greeting"])
        expect("middleware", "1", client.get("/greeting").headers["x-stamp"])
        expect("body", {"size": 1_000_000}, client.post("/body", content=b"x" * 1_000_000).json())
        expect("chunked body", {"size": 30_000}, client.post("/body", content=iter([b"abc"] * 10_000)).json())
        expect("form", ["caf\xe9.bin", len(DOCUMENT)], upload(client, "/form", name="n").json()["document"])
        expect("stream", LINES, client.get("/stream").text)
        file = client.get("/file")
        expect("file", Path(__file__).parent.parent.joinpath("frameworks/starlette_app.py").read_bytes(), file.content)
        expect("range of a file", (206, file.content[5:10]), ranged(client, "/file", "bytes=5-9"))
        expect("static file", 200, client.get("/static/bottle_app.py").status_code)
        expect("missing static file", 404, client.get("/static/missing").status_code)
        threads = {client.get("/blocking").text for _ in range(10)}
        expect("the thread of all that came one after another", 1, len(threads))
        token = other.token()
        expect("background task", "accepted", client.get(f"/background?token={token}").text)
        eventually("it runs", lambda: token in client.get("/finished").json())
        with client.stream("GET", f"/endless?token={token}") as events:
            lines = events.iter_lines()
            expect("server-sent event", "data: tick", next(lines))
        eventually("the stream ends with its client", lambda: f"endless {token}" in client.get("/finished").json())
        expect_echo(other, "/echo")
        eventually("the disconnect", lambda: "disconnect 1000" in client.get("/finished").json())
        with connect(other, "/echo", subprotocols=["other", "echo"]) as socket:
            expect("subprotocol", "echo", socket.subprotocol)
        expect_denied(other)
        expect_failure(other, client, f"/failure?token={token}", token)


def ranged(client, path: str, range_: str) -> tuple[int, bytes]:
    response = client.get(path, headers={"Range": range_})
    return response.status_code, response.content


def expect_denied(server: Server) -> None:
    from websockets.exceptions import InvalidStatus

    try:
        with connect(server, "/denied"):
            expect("denied", "a refusal", "a connection")
    except InvalidStatus as error:
        expect("denial", (401, b"not you"), (error.response.status_code, error.response.body))


@check("fastapi", "validation, dependencies, uploads, threads, WebSockets", alone=True)
def fastapi(server):
    with serving(server, "fastapi_app:app", "asgi") as (other, client):
        item = {"name": "caf\xe9", "price": 1.5, "tags": ["a"]}
        expect("put", item, client.put("/items/3", json=item).json())
        expect("get", {"item": item, "q": "x"}, client.get("/items/3?q=x").json())
        expect("missing", 404, client.get("/items/4").status_code)
        expect("invalid", 422, client.put("/items/x", json={}).status_code)
        expect("documentation", 200, client.get("/docs").status_code)
        expect("schema", "/items/{number}", next(iter(client.get("/openapi.json").json()["paths"])))
        expect("header", {"token": "secret"}, client.get("/secret", headers={"X-Token": "secret"}).json())
        expect("wrong header", 403, client.get("/secret", headers={"X-Token": "no"}).status_code)
        files = client.post("/files", files=[("documents", ("a", DOCUMENT)), ("documents", ("b", b""))]).json()
        expect("files", [len(DOCUMENT), 0], [file["size"] for file in files])
        from websockets.exceptions import ConnectionClosed

        with connect(other, "/items/ws") as socket:
            socket.send('{"name": "thing", "price": 1}')
            expect("WebSocket", '{"received":"thing"}', socket.recv(timeout=60).replace(" ", ""))
            try:
                socket.recv(timeout=60)
            except ConnectionClosed as closed:
                expect("close", (4001, "done"), (closed.rcvd.code, closed.rcvd.reason))


@check("quart", "templates, sessions, forms, streams, WebSockets", alone=True)
def quart(server):
    with serving(server, "quart_app:app", "asgi") as (other, client):
        expect("template", "<p>Hello, &lt;x&gt;!</p>", client.get("/hello/<x>").text)
        expect("session", [1, 2], [client.get("/count").json()["count"] for _ in range(2)])
        expect("before_serving", ["begun"], client.get("/count").json()["seen"])
        expect("form", ["caf\xe9.bin", len(DOCUMENT)], upload(client, "/form", name="n").json()["document"])
        expect("stream", LINES, client.get("/stream").text)
        expect_echo(other, "/echo")
        token = other.token()
        expect_failure(other, client, f"/failure/{token}", token)


def visit_things(server: Server, client) -> None:
    got = client.get("/things/3?q=caf%C3%A9").json()
    expect("get", {"number": 3, "query": {"q": "caf\xe9"}, "remote": "127.0.0.1"}, got)
    expect("post", {"size": 300_000, "number": 4}, client.post("/things/4", content=b"x" * 300_000).json())
    chunked = client.post("/things/5", content=iter([b"abc"] * 10_000)).json()
    expect("chunked post", {"size": 30_000, "number": 5}, chunked)
    expect("missing", 404, client.get("/things/x").status_code)
    token = server.token()
    expect_failure(server, client, f"/failure/{token}", token)


@check("falcon-wsgi", "media, bodies, streams", alone=True)
def falcon_wsgi(server):
    with serving(server, "falcon_wsgi:app", "wsgi") as (other, client):
        visit_things(other, client)
        expect("stream", LINES, client.get("/lines").text)


@check("falcon-asgi", "media, bodies, server-sent events, WebSockets", alone=True)
def falcon_asgi(server):
    with serving(server, "falcon_asgi:app", "asgi") as (other, client):
        visit_things(other, client)
        expect("server-sent events", "data: 0\n\ndata: 1\n\ndata: 2\n\n", client.get("/events").text)
        expect_echo(other, "/echo")


@check("bottle", "templates, generators, forms, static files", alone=True)
def bottle(server):
    with serving(server, "bottle_app:app", "wsgi") as (other, client):
        expect("template", "<p>Hello, &lt;x&gt;!</p>", client.get("/hello/<x>").text)
        expect("generator", LINES, client.get("/lines").text)
        form = upload(client, "/form", name="na\xefve").json()
        expect("form", ["na\xefve", len(DOCUMENT)], [form["name"], form["document"][1]])
        require("cookie", "1", client.cookies.get("seen"))
        source = client.get("/source")
        expect("static file", (200, True), (source.status_code, b"static_file" in source.content))
        since = {"If-Modified-Since": source.headers["last-modified"]}
        expect("not modified", 304, client.get("/source", headers=since).status_code)
        expect("range", (206, source.content[3:9]), ranged(client, "/source", "bytes=3-8"))
        token = other.token()
        expect_failure(other, client, f"/failure/{token}", token)
