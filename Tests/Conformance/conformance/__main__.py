"""python3 -m conformance CHECKLIST [--server NAME] …: a line for each check, and the status 1 where one failed.

python3 -m conformance lists: checklist, id and title of every line.
"""

import argparse
import sys
from pathlib import Path

from . import checklists, suite, wire
from .run import run
from .servers import COMMANDS, Kind


def main() -> int:
    if sys.argv[1:] == ["lists"]:
        for name, subject in checklists.ALL.items():
            for identifier in subject.checklist.ids:
                print(name, identifier, subject.checklist.title(identifier))
        return 0
    arguments = parse()
    if arguments.patience:
        suite.LIMIT = wire.SILENCE = arguments.patience
    kind = Kind(arguments.server, python=arguments.python, program=str(arguments.app or ""))
    failures = 0
    for outcome in run(kind, arguments.checklist, arguments.mode, arguments.only, tuple(arguments.set)):
        print(outcome.line(), flush=True)
        failures += bool(outcome.mismatches)
    return 1 if failures else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("checklist", choices=sorted(checklists.ALL))
    parser.add_argument("--server", choices=sorted(COMMANDS), default="portico")
    parser.add_argument("--app", type=Path, help="Portico's binary")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that the server runs")
    parser.add_argument("--mode", choices=["process", "thread"], default="process", help="Portico's")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="Portico's; repeatable")
    parser.add_argument("--only", nargs="*", default=[], metavar="ID", help="these lines alone")
    parser.add_argument("--patience", type=float, help="seconds until what does not come counts as absent")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
