"""`app dev` in a folder, with visitors who ask again and again while files change."""

import http.client
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from chromium import TIME_LIMIT
from page import Failure, Page


class Development:
    """The development server; a context manager."""

    def __init__(self, program: Path, folder: Path, arguments: list[str], visitors: "Visitors | None" = None) -> None:
        self.folder = folder
        self.visitors = visitors or Visitors()
        self._log = folder / "dev.log"
        self._ready = folder / "dev.ready"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [program.resolve(), "dev", "--ready-file", self._ready, *arguments],
                cwd=folder,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> "Development":
        deadline = time.monotonic() + TIME_LIMIT
        while not self._ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise Failure(f"app dev does not start:\n{self.log()}")
            time.sleep(0.01)
        self.url = self._ready.read_text().splitlines()[0]
        self.visitors.start(self.url)
        return self

    def __exit__(self, *_: object) -> None:
        self.visitors.stop()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def write(self, name: str, text: str) -> None:
        """Saves a file as editors do: a new one is put in its place."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.new")
        new.write_text(text)
        os.replace(new, file)

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text(errors="replace")


class Visitors:
    """Clients of several kinds that count their answers. No request may be refused, lost, or answered by an error."""

    def __init__(
        self,
        kinds: tuple[tuple[bool, int], ...] = ((False, 0), (True, 0), (True, 10_000)),
        path: str = "/",
        status: int = 200,
    ) -> None:
        """Each kind is whether the connection is kept, and how large the body is; without one, GET is asked."""
        self._kinds = kinds
        self._path = path
        self._status = status
        self.answers = 0
        self.failures: list[str] = []
        self._lock = threading.Lock()
        self._is_ending = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, url: str) -> None:
        address = url.removeprefix("http://").rstrip("/")
        for keeps, size in self._kinds:
            thread = threading.Thread(target=self._visit, args=(address, keeps, b"x" * size))
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._is_ending.set()
        for thread in self._threads:
            thread.join()

    def check(self) -> None:
        with self._lock:
            if self.failures or not self.answers:
                raise Failure(f"beside {self.answers} answers, {len(self.failures)} failures: {self.failures[:5]}")

    def _visit(self, address: str, keeps: bool, body: bytes) -> None:
        """Asks on one connection as long as the server keeps it, or on a new one each time."""
        connection: http.client.HTTPConnection | None = None
        while not self._is_ending.is_set():
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(address, timeout=TIME_LIMIT)
                    # From here on it is a failure when the server closes it without having said so.
                    connection.auto_open = 0
                    connection.connect()
                connection.request("POST" if body else "GET", self._path, body or None, {"Accept": "*/*"})
                response = connection.getresponse()
                text = response.read()
                if not keeps or response.will_close:
                    connection.close()
                    connection = None
                # The page about a module that cannot be imported is the answer to everything.
                is_well = response.status == self._status or (response.status == 500 and b"did not start" in text)
                self._note(None if is_well else f"status {response.status}")
            except (OSError, http.client.HTTPException) as error:
                self._note(repr(error))
                connection = None
            self._is_ending.wait(0.005)

    def _note(self, failure: str | None) -> None:
        with self._lock:
            if failure is None:
                self.answers += 1
            else:
                self.failures.append(f"{time.strftime('%H:%M:%S')} {failure}")


class Tab:
    """A page that is open while files change."""

    def __init__(self, server: Development, page: Page, screenshots: Path | None) -> None:
        self.server = server
        self.page = page
        self._screenshots = screenshots

    def heading(self, text: str, awaited: str) -> None:
        self.page.wait_for(f"document.querySelector('h1')?.textContent === '{text}'", awaited)

    def report(self, *parts: str, marks: tuple[str, ...] = (".here", "a[href^='vscode://file/']")) -> None:
        """The page says that something is wrong, and where: the line is marked, and a link opens the editor there."""
        for part in parts:
            self.page.wait_for(f"document.querySelector('main')?.innerText.includes({part!r})", f"a report of {part}")
        for mark in marks:
            self.page.wait_for(f'document.querySelector("{mark}")', f"{mark} in the report")
        self.picture(parts[0])

    def said(self, *parts: str) -> None:
        """The terminal says the same."""
        for part in parts:
            if part not in self.server.log():
                raise Failure(f"the log does not speak of {part}")

    def mark(self) -> None:
        """A page that is loaded again has lost it."""
        self.page.wait_for("document.querySelector('script[data-listening]')", "a page that listens for changes")
        self.page.value("window.isMarked = true")

    @property
    def is_marked(self) -> bool:
        return self.page.value("window.isMarked === true") is True

    def picture(self, name: str) -> None:
        if self._screenshots:
            self.page.settle()
            self.page.screenshot(self._screenshots / f"{name}.png")
