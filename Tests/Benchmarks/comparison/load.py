"""One round of load: wrk on a core of its own, read through a script so that nothing is parsed from prose."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .machine import ComparisonError

CONNECTIONS = 64
REPORT = Path(__file__).with_name("report.lua")


@dataclass(frozen=True)
class Round:
    """What one run of wrk saw."""

    requests: int
    requests_per_second: float
    latency_p99_ms: float


def run(
    url: str,
    headers: dict[str, str],
    *,
    seconds: int,
    core: int,
    connections: int = CONNECTIONS,
    script: Path = REPORT,
) -> Round:
    """Runs wrk for `seconds`. An answer other than 2xx or 3xx, or a broken connection, fails the round."""
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run([*command, url], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"requests"')]
    if done.returncode != 0 or not lines:
        raise ComparisonError(f"wrk failed on {url}: {done.stderr.strip() or done.stdout.strip()}")
    summary = json.loads(lines[-1])
    failures = {name: count for name, count in summary["errors"].items() if count}
    if failures or not summary["requests"]:
        raise ComparisonError(f"{url}: {summary['requests']} requests, errors {failures}; a round must have none")
    return Round(
        requests=summary["requests"],
        requests_per_second=summary["requests"] / (summary["microseconds"] / 1e6),
        latency_p99_ms=summary["p99_microseconds"] / 1000,
    )


def script(folder: Path, body: bytes | None) -> Path:
    """What wrk runs to send `body` by POST and to report; the report alone without a body."""
    if body is None:
        return REPORT
    path = folder / "post.lua"
    escaped = "".join(f"\\{byte:03}" for byte in body)
    path.write_text(f'wrk.method = "POST"\nwrk.body = "{escaped}"\n{REPORT.read_text()}')
    return path
