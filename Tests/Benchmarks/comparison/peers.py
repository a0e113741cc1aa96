"""The peers, each set up the way its users run it in production, with the access log off."""

import os
from pathlib import Path

from . import machine
from .fixtures import GZIP_LEVEL, HELLO, Fixtures
from .machine import BENCHMARKS
from .server import Server

DJANGO = "5.2.19"
GUNICORN = "27.0.1"
HUMMINGBIRD = BENCHMARKS / "HummingbirdHello"


def nginx(folder: Path, fixtures: Fixtures, *, port: int, connections: int) -> Server:
    """Debian's nginx: one worker, and all its configuration in one file of our own."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "nginx.conf"
    configuration.write_text(nginx_configuration(folder, fixtures, port=port, connections=connections))
    return Server(
        name="nginx",
        command=["nginx", "-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log")],
        port=port,
        folder=folder,
    )


def nginx_configuration(folder: Path, fixtures: Fixtures, *, port: int, connections: int) -> str:
    # A worker started by root would change to an account that cannot read the fixtures.
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {connections};
pid {folder}/nginx.pid;
events {{ worker_connections {connections}; multi_accept on; }}
http {{
    access_log off;
    types {{ text/plain txt; application/json json; application/octet-stream bin; }}
    sendfile on;
    tcp_nopush on;
    open_file_cache max=1000 inactive=60s;
    open_file_cache_valid 60s;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    gzip_comp_level {GZIP_LEVEL};
    gzip_min_length 1024;
    gzip_vary on;
    gzip_types text/plain application/json;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = / {{ default_type text/plain; return 200 "{HELLO.decode()}"; }}
        location /static/ {{ alias {fixtures.root}/; }}
    }}
}}
"""


def hummingbird(folder: Path, *, port: int, build: bool) -> Server:
    """Hummingbird's getting-started program, built for release."""
    flags = ["-c", "release", "--package-path", str(HUMMINGBIRD)]
    if build:
        machine.run(["swift", "build", *flags])
    binaries = Path(machine.output(["swift", "build", *flags, "--show-bin-path"]))
    return Server(
        name="hummingbird",
        command=[str(binaries / "hummingbird-hello"), str(port)],
        port=port,
        folder=folder,
        environment={"LOG_LEVEL": "error"},
    )


def django(folder: Path, *, port: int) -> Server:
    """Django's polls under one sync worker of gunicorn, in a virtual environment that is kept between runs."""
    folder.mkdir(parents=True, exist_ok=True)
    project = BENCHMARKS / "django-polls"
    python = virtual_environment()
    environment = {
        "DJANGO_SETTINGS_MODULE": "mysite.settings",
        "POLLS_DATABASE": str(folder / "polls.sqlite3"),
        "PYTHONPATH": str(project),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    machine.run([str(python), "-m", "django", "migrate", "--verbosity", "0"], cwd=folder, env=environment)
    return Server(
        name="gunicorn",
        command=[
            *[str(python), "-m", "gunicorn", "mysite.wsgi:application", "--chdir", str(project)],
            *["--bind", f"127.0.0.1:{port}", "--workers", "1", "--worker-class", "sync", "--no-control-socket"],
        ],
        port=port,
        folder=folder,
        environment=environment,
    )


def virtual_environment() -> Path:
    """The Python of a virtual environment that holds Django and gunicorn; made on the first run."""
    folder = machine.cache_folder() / f"django-{DJANGO}-gunicorn-{GUNICORN}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        machine.run(["python3", "-m", "venv", "--clear", str(folder)])
        machine.run([str(python), "-m", "pip", "install", "--quiet", f"django=={DJANGO}", f"gunicorn=={GUNICORN}"])
        complete.touch()
    return python


def versions() -> dict[str, str]:
    """What is compared with, for the head of a report."""
    nginx_version = machine.output(["nginx", "-v"]).removeprefix("nginx version: nginx/")
    python = machine.output(["python3", "--version"])
    return {
        "nginx": nginx_version,
        "Hummingbird": "2.28.1",
        "Django": f"{DJANGO} under gunicorn {GUNICORN}, {python}",
    }
