"""W1 to W14: the call, and `environ`."""

import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from .servers import Server
from .suite import Checklist, expect, one_of, require
from .wsgi_site import path, report

WSGI = Checklist("wsgi", [f"W{number}" for number in range(1, 43)] + ["WX"])
check = WSGI.check

CGI = [
    *["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_NAME"],
    *["SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE", "REMOTE_ADDR", "REMOTE_PORT", "REMOTE_HOST"],
    *["REQUEST_URI", "RAW_URI", "HTTPS", "REQUEST_SCHEME", "SERVER_ADDR", "GATEWAY_INTERFACE"],
]


@path
def environ(environ, start_response):
    """All of `environ` that JSON can say, and the types of everything."""
    seen = {
        "type": type(environ).__name__,
        "values": {key: value for key, value in environ.items() if isinstance(value, (str, bool, int))},
        "types": {key: type(value).__name__ for key, value in environ.items()},
        "version": repr(environ.get("wsgi.version")),
        "call": environ.get("conformance.call"),
    }
    environ["conformance.mark"] = "left here"
    environ["PATH_INFO"] = "changed"
    return report(start_response, seen)


def values(server: Server, path: str = "/environ", *fields: str, **options) -> dict:
    return server.get(path, *fields, **options).json()["values"]


@check("W1", "the application is called with two positional arguments")
def positional(server):
    expect("arguments, names", [2, []], server.get("/environ").json()["call"])


@check("W2", "environ is a dict of this request alone", with_validator=True)
def dictionary(server):
    with server.connect() as connection:
        connection.request("GET", server.path("/environ"), "X-Once: 1", "Cookie: a=1")
        expect("type", "dict", connection.response().json()["type"])
        for _ in range(3):
            connection.request("GET", server.path("/environ"))
            seen = connection.response().json()
            expect("type", "dict", seen["type"])
            left = {"conformance.mark", "HTTP_X_ONCE", "HTTP_COOKIE"} & set(seen["types"])
            expect("left from the request before", set(), left)
            expect("PATH_INFO", "/environ", seen["values"]["PATH_INFO"])


_inside = {"now": 0, "most": 0}
_lock = threading.Lock()


@path
def exclusive(environ, start_response):
    """Stays until a file appears; says how many requests were ever inside at once."""
    with _lock:
        _inside["now"] += 1
        _inside["most"] = max(_inside.values())
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"begun "
    deadline = time.monotonic() + 20
    while not Path(environ["QUERY_STRING"]).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    with _lock:
        _inside["now"] -= 1
    yield b"%d" % _inside["most"]


@check("W3", "with one thread, one request at a time", alone=True)
def single_threaded(server):
    with server.another(threads=1) as single, TemporaryDirectory() as folder:
        file = Path(folder, "go")
        with single.connect() as first, single.connect() as second:
            first.request("GET", f"/exclusive?{file}")
            first.head()
            second.request("GET", f"/exclusive?{file}")
            file.touch()
            expect("most at once", b"1", second.response().body[-1:])


@check("W4", "CGI values are latin-1 str, missing ones are left out", with_validator=True)
def native_strings(server):
    seen = server.get("/environ", "X-Bytes: caf\xc3\xa9 \xff\x80", "Referer: \xe2\x98\x83").json()
    wrong = {key: kind for key, kind in seen["types"].items() if "." not in key and kind != "str"}
    expect("types of CGI values other than str", {}, wrong)
    expect("keys that are None", [], [key for key, kind in seen["types"].items() if kind == "NoneType"])
    beyond = [key for key, value in seen["values"].items() if isinstance(value, str) and max(value, default="") > "\xff"]
    expect("values beyond latin-1", [], beyond)
    expect("HTTP_X_BYTES", "caf\xc3\xa9 \xff\x80", seen["values"].get("HTTP_X_BYTES"))
    expect("HTTP_REFERER", "\xe2\x98\x83", seen["values"].get("HTTP_REFERER"))


@check("W5", "REQUEST_METHOD is the client's", with_validator=True)
def method(server):
    for name in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]:
        body = b"" if name in ("POST", "PUT", "PATCH") else None
        expect(name, name, server.ask(name, "/environ", body=body).json()["values"].get("REQUEST_METHOD"))
    if not server.prefix:  # The validator warns of methods it does not know.
        expect("PROPFIND", "PROPFIND", server.ask("PROPFIND", "/environ").json()["values"].get("REQUEST_METHOD"))


@check("W6", "SCRIPT_NAME + PATH_INFO is the decoded path", with_validator=True)
def decoded_path(server):
    table = {
        "/environ": "/environ",
        "/environ/": "/environ/",
        "/environ/caf%C3%A9": "/environ/caf\xc3\xa9",
        "/environ/%E2%98%83": "/environ/\xe2\x98\x83",
        "/environ/a%20b+c": "/environ/a b+c",
        "/environ/%FF": "/environ/\xff",
        "/environ/a;b=1,c": "/environ/a;b=1,c",
        "/environ/a%3Fb": "/environ/a?b",
        "/environ/a%25b": "/environ/a%b",
        "/environ/x?q=/y": "/environ/x",
    }
    for sent, expected in table.items():
        seen = values(server, sent)
        name = seen.get("SCRIPT_NAME", "").removeprefix(server.prefix)
        expect(sent, expected, name + seen.get("PATH_INFO", ""))
        expect(f"SCRIPT_NAME of {sent} ends without a slash", False, name.endswith("/"))


@check("W7", "QUERY_STRING is raw; content headers have their own names", with_validator=True)
def query_and_content(server):
    for raw in ["a=1&b=%20%26+c", "", "x?y/z", "%C3%A9=%zz"]:
        expect(f"QUERY_STRING of ?{raw}", raw, values(server, f"/environ?{raw}").get("QUERY_STRING", ""))
    expect("QUERY_STRING without one", "", values(server).get("QUERY_STRING", ""))
    seen = server.post("/environ", b"12345", "Content-Type: text/x-own; charset=x").json()["values"]
    expect("CONTENT_TYPE", "text/x-own; charset=x", seen.get("CONTENT_TYPE"))
    expect("CONTENT_LENGTH", "5", seen.get("CONTENT_LENGTH"))
    expect("duplicates", [], [key for key in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH") if key in seen])
    bare = values(server)
    expect("CONTENT_TYPE of a GET", "", bare.get("CONTENT_TYPE", ""))
    expect("CONTENT_LENGTH of a GET", one_of("", "0"), bare.get("CONTENT_LENGTH", ""))


@check("W8", "SERVER_NAME and SERVER_PORT are never empty", with_validator=True)
def server_name(server):
    for version, fields in [("1.1", ["Host: example.org:81"]), ("1.1", ["Host: example.org"]), ("1.0", [])]:
        seen = values(server, "/environ", *fields, version=version)
        for key in ["SERVER_NAME", "SERVER_PORT"]:
            expect(f"{key} is text ({version} {fields})", True, isinstance(seen.get(key), str) and bool(seen.get(key)))


@check("W8", "on a unix socket, too", needs=("portico",), alone=True)
def unix_socket(server):
    with TemporaryDirectory() as folder, server.another(listen=f"unix:{folder}/socket") as local:
        seen = values(local, "/environ", version="1.0")
        expect("SERVER_NAME is there", True, bool(seen.get("SERVER_NAME")))
        expect("SERVER_PORT is there", True, bool(seen.get("SERVER_PORT")))
        expect("types", ["str", "str"], [type(seen[key]).__name__ for key in ("SERVER_NAME", "SERVER_PORT")])


@check("W9", "SERVER_PROTOCOL is the client's", with_validator=True)
def protocol(server):
    for version in ["1.0", "1.1"]:
        expect(version, f"HTTP/{version}", values(server, version=version).get("SERVER_PROTOCOL"))


@check("W10", "HTTP_* of each header; repeats joined, names with _ and Proxy kept out", with_validator=True)
def header_variables(server):
    seen = values(
        server, "/environ", "X-Twice: 1", "X-Other: y", "X-Twice: 2", "Cookie: a=1", "Cookie: b=2", "X-Empty:",
        "x-lower: L", "X-Blank: \t inner  space \t", "Accept: text/html", "Accept: */*;q=0.1",
    )  # fmt: skip
    expect("HTTP_X_TWICE", one_of("1,2", "1, 2"), seen.get("HTTP_X_TWICE"))
    expect("HTTP_ACCEPT", one_of("text/html,*/*;q=0.1", "text/html, */*;q=0.1"), seen.get("HTTP_ACCEPT"))
    expect("HTTP_COOKIE", "a=1; b=2", seen.get("HTTP_COOKIE"))
    expect("HTTP_X_OTHER", "y", seen.get("HTTP_X_OTHER"))
    expect("HTTP_X_EMPTY", "", seen.get("HTTP_X_EMPTY"))
    expect("HTTP_X_LOWER", "L", seen.get("HTTP_X_LOWER"))
    expect("HTTP_X_BLANK", "inner  space", seen.get("HTTP_X_BLANK"))
    expect("HTTP_HOST", "localhost", seen.get("HTTP_HOST"))
    spoofed = server.get("/environ", "X-User: me", "X_User: you", "X_Only: you")
    if spoofed.status != 400:
        seen = spoofed.json()["values"]
        expect("HTTP_X_USER", "me", seen.get("HTTP_X_USER"))
        expect("HTTP_X_ONLY", None, seen.get("HTTP_X_ONLY"))
    expect("HTTP_PROXY", None, values(server, "/environ", "Proxy: http://evil/").get("HTTP_PROXY"))


@check("W11", "wsgi.version and wsgi.url_scheme", with_validator=True)
def version(server):
    seen = server.get("/environ").json()
    expect("wsgi.version", "(1, 0)", seen["version"])
    expect("type of wsgi.version", "tuple", seen["types"].get("wsgi.version"))
    expect("wsgi.url_scheme", "http", seen["values"].get("wsgi.url_scheme"))


def expect_concurrency(server: Server, multithread: bool, multiprocess: bool) -> None:
    seen = values(server)
    expect("wsgi.multithread", multithread, bool(seen["wsgi.multithread"]))
    expect("wsgi.multiprocess", multiprocess, bool(seen["wsgi.multiprocess"]))
    expect("wsgi.run_once", False, bool(seen["wsgi.run_once"]))


@check("W12", "multithread, multiprocess and run_once of many threads", with_validator=True)
def many_threads(server):
    require("threads of the server under test", True, server.setup.threads > 1)
    expect_concurrency(server, multithread=True, multiprocess=False)


@check("W12", "multithread and multiprocess of 1 thread in each of 2 processes", alone=True)
def many_processes(server):
    with server.another(mode="process", threads=1, workers=2) as other:
        expect_concurrency(other, multithread=False, multiprocess=True)


@check("W12", "multithread and multiprocess of 1 thread in 1 process", alone=True)
def one_of_each(server):
    with server.another(mode="process", threads=1, workers=1) as other:
        expect_concurrency(other, multithread=False, multiprocess=False)


@check("W13", "nothing of TLS without TLS", with_validator=True)
def no_tls(server):
    seen = values(server)
    expect("HTTPS", one_of(None, "", "off", "0"), seen.get("HTTPS"))
    expect("variables of TLS", set(), {"SSL_PROTOCOL", "SSL_CIPHER", "SSL_CLIENT_VERIFY", "SSL_SERVER_CERT"} & set(seen))


@check("W14", "the environment of the process is not merged into environ", with_validator=True)
def process_environment(server):
    seen = server.get("/environ").json()["types"]
    expect("CONFORMANCE_OF_THE_PROCESS", False, "CONFORMANCE_OF_THE_PROCESS" in seen)
    expect("PATH", False, "PATH" in seen)


@check("W14", "variables of the server are app.*, those of the specification and the usual ones are known")
def known_names(server):
    known = ("HTTP_", "wsgi.", "conformance.", server.kind.name + ".", "app.", "werkzeug.", "gunicorn.")
    seen = server.get("/environ").json()["types"]
    unknown = [key for key in seen if key not in CGI and not key.startswith(known)]
    expect("names that nobody knows", [], unknown)


@check("WX", "REQUEST_URI and RAW_URI are what the client sent", with_validator=True)
def request_uri(server):
    sent = server.path("/environ/caf%C3%A9/a%2Fb?q=%20")
    with server.connect() as connection:
        connection.request("GET", sent)
        seen = connection.response().json()["values"]
    expect("REQUEST_URI or RAW_URI", sent, seen.get("REQUEST_URI", seen.get("RAW_URI")))
    if server.is_portico:
        expect("both", (sent, sent), (seen.get("REQUEST_URI"), seen.get("RAW_URI")))


@check("WX", "REMOTE_ADDR, REMOTE_PORT and SERVER_SOFTWARE", with_validator=True)
def remote(server):
    with server.connect() as connection:
        port = connection.socket.getsockname()[1]
        connection.request("GET", server.path("/environ"))
        seen = connection.response().json()["values"]
    expect("REMOTE_ADDR", "127.0.0.1", seen.get("REMOTE_ADDR"))
    expect("REMOTE_PORT", str(port), seen.get("REMOTE_PORT"))
    expect("SERVER_SOFTWARE", True, bool(seen.get("SERVER_SOFTWARE")))


@check("W6", "a site mounted below a path has it as SCRIPT_NAME", needs=("portico",), alone=True)
def mounted(server):
    configuration = f"""
base:
  sites: {{one: {{python: {server.setup.application}, gateway: wsgi, directory: "{{root}}"}}}}
  routes: [{{path: /mounted/, site: one}}]
"""
    with server.another(configuration=configuration) as other:
        seen = values(other, "/mounted/environ/caf%C3%A9")
        expect("SCRIPT_NAME", "/mounted", seen.get("SCRIPT_NAME"))
        expect("PATH_INFO", "/environ/caf\xc3\xa9", seen.get("PATH_INFO"))
