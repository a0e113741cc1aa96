"""Checks, the lines of a checklist they belong to, and what they find."""

import json
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field

LIMIT = 60.0
"""Seconds until what does not come counts as absent. No measure of speed."""


class Mismatch(Exception):
    """The check cannot go on: the server did something else."""


@dataclass(frozen=True)
class Check:
    """One expectation: what is done with a server, and what must come of it."""

    id: str
    title: str
    perform: Callable
    with_validator: bool = False
    """Whether the same must hold with `wsgiref.validate.validator` around the application."""
    needs: tuple[str, ...] = ()
    """What only some servers have: `portico` is its own ways, `processes` a supervisor with workers."""
    alone: bool = False
    """Whether it starts servers of its own and touches the shared one not at all."""


@dataclass
class Outcome:
    """What a check found; an empty list is a pass."""

    check: Check
    variant: str
    mismatches: list[str] = field(default_factory=list)

    def line(self) -> str:
        name = f"{self.check.title}{f' ({self.variant})' if self.variant else ''}"
        if not self.mismatches:
            return f"{self.check.id} ok {name}"
        return f"{self.check.id} FAIL {name}: " + "; ".join(self.mismatches)


class Checklist:
    """The checks of one part of a specification, in order."""

    def __init__(self, name: str, ids: Iterable[str]) -> None:
        self.name = name
        self.ids = list(ids)
        self.checks: list[Check] = []

    def check(self, identifier: str, title: str, **conditions: object) -> Callable[[Callable], Callable]:
        """Adds the decorated function, which gets the server, under a line of the checklist."""
        if identifier not in self.ids:
            raise ValueError(f"{self.name} has no line {identifier}")

        def add(function: Callable) -> Callable:
            self.checks.append(Check(identifier, title, function, **conditions))
            return function

        return add

    def title(self, identifier: str) -> str:
        """What the line is about."""
        return "; ".join(check.title for check in self.checks if check.id == identifier) or "nothing checks this"


_mismatches: ContextVar[list[str]] = ContextVar("mismatches")


def expect(what: str, expected: object, got: object) -> bool:
    """Notes a mismatch and goes on. `expected` may be a value, or a predicate with a docstring or a name."""
    is_right = expected(got) if callable(expected) else expected == got
    if not is_right:
        wanted = (expected.__doc__ or expected.__name__) if callable(expected) else shown(expected)
        _mismatches.get().append(f"{what}: expected {wanted}, got {shown(got)}")
    return bool(is_right)


def require(what: str, expected: object, got: object) -> None:
    """Like `expect`, for what the rest of the check rests on."""
    if not expect(what, expected, got):
        raise Mismatch


def one_of(*values: object) -> Callable[[object], bool]:
    """A predicate for `expect`."""

    def is_one(value: object) -> bool:
        return value in values

    is_one.__doc__ = "one of " + ", ".join(shown(value) for value in values)
    return is_one


def containing(part: object) -> Callable[[object], bool]:
    """A predicate for `expect`."""

    def contains(whole: object) -> bool:
        return part in whole

    contains.__doc__ = f"something with {shown(part)}"
    return contains


def eventually(what: str, condition: Callable[[], object]) -> object:
    """Asks again and again until the condition holds, and returns its value."""
    deadline = time.monotonic() + LIMIT
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise_mismatch(f"{what}: did not happen within {LIMIT:.0f} s")
        time.sleep(0.005)


def raise_mismatch(message: str) -> None:
    _mismatches.get().append(message)
    raise Mismatch


def shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:200]} … ({len(text)} characters)"


def perform(check: Check, server: object, variant: str = "") -> Outcome:
    """Runs one check to its end, whatever that is."""
    outcome = Outcome(check, variant)
    token = _mismatches.set(outcome.mismatches)
    try:
        check.perform(server)
    except Mismatch:
        pass
    except Exception as error:  # What the server does to a client must not end the run.
        place = error.__traceback__
        while place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{place.tb_lineno}"
        outcome.mismatches.append(f"{type(error).__name__}: {error} ({where})")
    finally:
        _mismatches.reset(token)
    outcome.mismatches[:] = [json.dumps(text, ensure_ascii=False)[1:-1] for text in outcome.mismatches]
    return outcome
