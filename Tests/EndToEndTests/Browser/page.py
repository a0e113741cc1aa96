"""A page as someone meets it who has a keyboard and a screen reader: roles, names, focus, keys."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chromium import TIME_LIMIT, BrowserError, Chromium

KEYS = {
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    "Space": (" ", 32, " "),
    "ArrowDown": ("ArrowDown", 40, ""),
}
TAB_LIMIT = 60


class Failure(Exception):
    """The page is not as it should be."""


@dataclass(frozen=True)
class Element:
    """What assistive technology is told about an element."""

    role: str
    name: str

    def __str__(self) -> str:
        return f"{self.role} {self.name!r}"


class Page:
    """One tab. Everything that goes wrong in it (console, network, scripts) is collected in `problems`."""

    def __init__(self, browser: Chromium) -> None:
        self._browser = browser
        # In a window of its own: a tab behind another one is drawn no frames.
        target = browser.command("Target.createTarget", url="about:blank", newWindow=True)["targetId"]
        self._session: str = browser.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.problems: list[str] = []
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility", "DOM"]:
            self._command(f"{domain}.enable")
        self.resize(1280, 800)

    def _command(self, method: str, **parameters: object) -> dict:
        return self._browser.command(method, self._session, **parameters)

    def open(self, url: str) -> None:
        """Goes to `url` and waits until the page is loaded."""
        self._loads(lambda: self._navigate(url), f"page at {url}")

    def _navigate(self, url: str) -> None:
        error = self._command("Page.navigate", url=url).get("errorText")
        if error:
            raise Failure(f"{url} cannot be opened: {error}")

    def press(self, key: str) -> None:
        """Presses and releases a key."""
        value, code, text = KEYS[key]
        common = {"key": value, "code": key, "windowsVirtualKeyCode": code}
        self._command("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self._command("Input.dispatchKeyEvent", type="keyUp", **common)

    def press_and_load(self, key: str) -> None:
        """Presses a key that leads to another page, and waits until that is loaded."""
        before = self.focused()
        self._loads(lambda: self.press(key), f"new page after {key} on {before}")

    def tab_to(self, role: str, accepts: Callable[[str], bool] = lambda name: True) -> Element:
        """Moves the focus with Tab to the next element of this role whose name is accepted."""
        seen: list[str] = []
        for _ in range(TAB_LIMIT):
            self.press("Tab")
            element = self.focused()
            if element.role == role and accepts(element.name):
                return element
            seen.append(str(element))
        raise Failure(f"Tab does not reach such a {role} at {self.address()}; it reaches {', '.join(seen[:12])} …")

    def focused(self) -> Element:
        """The element that has the focus."""
        active = self._command("Runtime.evaluate", expression="document.activeElement")["result"]
        if "objectId" not in active:
            return Element("none", "")
        nodes = self._command("Accessibility.getPartialAXTree", objectId=active["objectId"], fetchRelatives=False)
        return element(nodes["nodes"][0])

    def elements(self, *roles: str) -> list[Element]:
        """All elements of these roles, in the order they are read."""
        nodes = self._command("Accessibility.getFullAXTree")["nodes"]
        found = [element(node) for node in nodes if not node.get("ignored")]
        return [one for one in found if one.role in roles]

    def value(self, expression: str) -> object:
        """The value of a JavaScript expression."""
        return self._command("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def address(self) -> str:
        return str(self.value("location.href"))

    def text(self) -> str:
        """The text that can be seen."""
        return str(self.value("(document.querySelector('main') ?? document.body).innerText"))

    def state(self) -> str:
        """Where the page is and what it shows, for whoever has waited in vain."""
        try:
            return f"{self.address()} shows: {self.text()[:2000]}"
        except BrowserError as error:
            return f"the page does not answer: {error}"

    def resize(self, width: int, height: int, *, is_mobile: bool = False) -> None:
        """Sets the size of the window, in CSS pixels."""
        scale = 2 if is_mobile else 1
        self._command(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_mobile},
        )

    def screenshot(self, file: Path) -> None:
        """Writes the whole page as it looks now."""
        picture = self._command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(picture["data"]))

    def wait_for(self, expression: str, awaited: str, limit: float = TIME_LIMIT) -> None:
        """Waits until a JavaScript expression holds, looking at it with each frame."""
        deadline = time.monotonic() + limit
        while not self._holds(expression):
            if time.monotonic() > deadline:
                raise Failure(f"waited in vain for {awaited} at {self.address()}")
            self.settle()

    def _holds(self, expression: str) -> bool:
        """Whether an expression holds; not while the page is on its way to another one."""
        try:
            return bool(self.value(f"Boolean({expression})"))
        except BrowserError as error:
            if is_passing(error):
                return False
            raise

    def settle(self) -> None:
        """Waits for the frame after the next, so that what the page reports of itself has arrived."""
        frames = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
        try:
            self._command("Runtime.evaluate", expression=frames, awaitPromise=True)
        except BrowserError as error:
            if not is_passing(error):
                raise
        for event in self._browser.pending_events():
            self._note(event)

    def _loads(self, action: Callable[[], object], awaited: str) -> None:
        self.settle()
        action()
        deadline = time.monotonic() + TIME_LIMIT
        while True:
            event = self._browser.event(deadline, awaited)
            self._note(event)
            if event.get("method") == "Page.loadEventFired" and event.get("sessionId") == self._session:
                self.settle()
                return

    def _note(self, event: dict) -> None:
        """Remembers an event that tells of a problem."""
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                words = details.get("exception", {}).get("description", details["text"])
                self.problems.append(f"script error: {words}")
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "assert"):
                words = [str(argument.get("value", argument.get("description"))) for argument in parameters["args"]]
                self.problems.append(f"console: {' '.join(words)}")
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                self.problems.append(f"console: {parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            case "Network.loadingFailed" if not parameters.get("canceled"):
                self.problems.append(f"request failed: {parameters['errorText']}")
            case "Network.responseReceived" if parameters["response"]["status"] >= 400:
                response = parameters["response"]
                self.problems.append(f"status {response['status']} for {response['url']}")


def is_passing(error: BrowserError) -> bool:
    """Whether a command failed because the page it was for has just been left."""
    return any(word in str(error) for word in ["navigated", "context", "collected"])


def element(node: dict) -> Element:
    return Element(node.get("role", {}).get("value", "none"), str(node.get("name", {}).get("value", "")).strip())
