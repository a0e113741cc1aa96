"""Chromium driven over a pipe by its DevTools protocol: nothing to install beside Debian's package."""

import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections import deque

TIME_LIMIT = 120.0


class BrowserError(Exception):
    """The browser could not be started, ended, refused a command, or did not answer in time."""


class Chromium:
    """One headless browser with a profile of its own; a context manager."""

    def __init__(self) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            raise BrowserError("there is no Chromium here: apt-get install chromium")
        self._program = program
        self._number = 0
        self._received = b""
        self._events: deque[dict] = deque()

    def __enter__(self) -> "Chromium":
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-")
        commands_out, self._commands = high_pipe()
        self._replies, replies_in = high_pipe()
        # Chromium reads commands from descriptor 3 and writes replies and events to descriptor 4.
        log = os.path.join(self._profile.name, "chromium.log")
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            (os.POSIX_SPAWN_DUP2, commands_out, 3),
            (os.POSIX_SPAWN_DUP2, replies_in, 4),
        ]
        environment = {**os.environ, "HOME": self._profile.name}
        self._pid: int | None = os.posix_spawn(self._program, self._arguments(), environment, file_actions=actions)
        os.close(commands_out)
        os.close(replies_in)
        return self

    def _arguments(self) -> list[str]:
        arguments = [
            *[self._program, "--headless", "--remote-debugging-pipe", f"--user-data-dir={self._profile.name}/profile"],
            *["--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
            *["--disable-component-update", "--disable-sync", "--no-default-browser-check", "--hide-scrollbars"],
        ]
        # Chromium's sandbox refuses to run as root, which is who runs tests in a container.
        return [*arguments, "--no-sandbox"] if os.geteuid() == 0 else arguments

    def __exit__(self, *_: object) -> None:
        os.close(self._commands)  # The end of its commands ends the browser.
        os.close(self._replies)
        deadline = time.monotonic() + 10
        while self._pid is not None and os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGKILL)
                deadline += 10
            time.sleep(0.02)
        self._pid = None
        self._profile.cleanup()

    def command(self, method: str, session: str | None = None, **parameters: object) -> dict:
        """Sends a command and returns its result; events that arrive meanwhile are kept for `event`."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._send(json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + TIME_LIMIT
        while True:
            reply = self._receive(deadline, method)
            if reply.get("id") != number:
                self._events.append(reply)
            elif "error" in reply:
                raise BrowserError(f"{method}: {reply['error'].get('message', reply['error'])}")
            else:
                return reply["result"]

    def event(self, deadline: float, awaited: str) -> dict:
        """The next event; `awaited` says in the error what did not happen until `deadline`."""
        return self._events.popleft() if self._events else self._receive(deadline, awaited)

    def pending_events(self) -> list[dict]:
        """The events that have been received so far."""
        events = list(self._events)
        self._events.clear()
        return events

    def _send(self, message: bytes) -> None:
        try:
            while message:
                message = message[os.write(self._commands, message) :]
        except BrokenPipeError:
            raise BrowserError(f"Chromium has ended:\n{self._last_words()}") from None

    def _receive(self, deadline: float, awaited: str) -> dict:
        while b"\0" not in self._received:
            readable, _, _ = select.select([self._replies], [], [], max(0, deadline - time.monotonic()))
            if not readable:
                raise BrowserError(f"no {awaited} within {TIME_LIMIT:.0f} s")
            piece = os.read(self._replies, 1 << 20)
            if not piece:
                raise BrowserError(f"Chromium has ended:\n{self._last_words()}")
            self._received += piece
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)

    def _last_words(self) -> str:
        with open(os.path.join(self._profile.name, "chromium.log"), errors="replace") as log:
            return "".join(log.readlines()[-10:])


def high_pipe() -> tuple[int, int]:
    """A pipe whose descriptors are out of the way of 3 and 4; the browser does not inherit them by themselves."""
    reading, writing = os.pipe()
    high = fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, 10), fcntl.fcntl(writing, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(reading)
    os.close(writing)
    return high
