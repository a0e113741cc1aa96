"""A server under measurement: one command, pinned to one core, started and stopped."""

import http.client
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .machine import ComparisonError

START_LIMIT = 30.0
STOP_LIMIT = 20.0


@dataclass
class Server:
    """How to start one server, and its process while it runs."""

    name: str
    command: list[str]
    port: int
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    ready_path: str = "/"
    """A path that answers 200 as soon as the server serves."""
    ready_line: bytes | None = None
    """How the line begins that the server prints when it is ready; None for servers that print none."""
    process: subprocess.Popen | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self, core: int) -> None:
        """Starts the server on `core` and returns when it answers."""
        self.launch(core, stdout=None)
        self.wait_until_it_answers()

    def launch(self, core: int, *, stdout: int | None) -> None:
        """Starts the process alone. Its output goes to the log, or standard output to `stdout`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(core), *self.command],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log if stdout is None else stdout,
                stderr=log,
            )

    def wait_until_it_answers(self) -> None:
        """Returns with the first answered request; asks every millisecond, since start-up time is measured by it."""
        deadline = time.monotonic() + START_LIMIT
        while not self.answers():
            if self.process is None or self.process.poll() is not None:
                raise ComparisonError(f"{self.name} ended instead of serving:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise ComparisonError(f"{self.name} did not answer within {START_LIMIT:.0f} s:\n{self.last_words()}")
            time.sleep(0.001)

    def answers(self) -> bool:
        """Whether one request gets a 200 now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self.ready_path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Asks the server to stop, and ends it where it does not."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            print(f"warning: {self.name} did not stop within {STOP_LIMIT:.0f} s and was killed", flush=True)
        self.process = None

    def worker(self) -> int:
        """The process that serves: the newest child of the master, or the only process there is."""
        if self.process is None:
            raise ComparisonError(f"{self.name} is not running")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[-1]) if children else self.process.pid

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"    {line}" for line in lines[-12:]) or "    (it printed nothing)"


def connect(port: int) -> socket.socket:
    """One TCP connection to a server of this machine."""
    return socket.create_connection(("127.0.0.1", port), timeout=10)
