"""Runs a checklist against a server."""

from collections.abc import Iterator

from .checklists import ALL
from .servers import Kind, Server, Setup
from .suite import Outcome, perform


def run(
    kind: Kind, name: str, mode: str = "process", only: list[str] | None = None, settings: tuple[str, ...] = ()
) -> Iterator[Outcome]:
    """The outcome of each check, as soon as it is there. `settings` are for Portico, as `--set` takes them."""
    subject = ALL[name]
    workers = 2 if mode == "thread" else 1
    setup = Setup(subject.application, subject.gateway, mode=mode, workers=workers, settings=settings)
    server = Server(kind, setup)
    try:
        for check in subject.checklist.checks:
            if only and check.id not in only or not set(check.needs) <= offered(kind, mode):
                continue
            for prefix in ["", "/validated"] if check.with_validator else [""]:
                if not check.alone:
                    server.ensure_running()
                server.prefix = prefix
                yield perform(check, server, prefix.strip("/"))
    finally:
        server.stop()


def offered(kind: Kind, mode: str) -> set[str]:
    """What checks may need of a server that this one has."""
    if kind.name != "portico":
        return set()
    return {"portico", "processes"} if mode == "process" else {"portico"}
