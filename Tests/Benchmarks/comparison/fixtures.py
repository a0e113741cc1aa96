"""What is served: the same bytes by every server."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

HELLO = b"Hello, World!"
GZIP_LEVEL = 6
TEXT_SIZE = 20 * 1024


@dataclass(frozen=True)
class Fixtures:
    """The files that the servers serve, under `root`."""

    root: Path

    @property
    def small(self) -> Path:
        return self.root / "1KiB.txt"

    @property
    def large(self) -> Path:
        return self.root / "1MiB.bin"

    @property
    def text(self) -> Path:
        return self.root / "20KiB.txt"

    @property
    def document(self) -> Path:
        return self.root / "20KiB.json"


def write(root: Path) -> Fixtures:
    """Writes the files."""
    root.mkdir(parents=True, exist_ok=True)
    fixtures = Fixtures(root)
    fixtures.small.write_bytes(prose(1024))
    fixtures.large.write_bytes(bytes((byte * 31 + byte // 256) % 251 for byte in range(1024 * 1024)))
    fixtures.text.write_bytes(prose(TEXT_SIZE))
    fixtures.document.write_bytes(document(TEXT_SIZE))
    return fixtures


def prose(size: int) -> bytes:
    """`size` bytes that gzip handles about as it does prose: few words are common, most are rare."""
    syllables = "ta ren so mi lo ver an de ki os ul pe har ni bo che st ran wi el qu ade for ing er".split()
    chance = random.Random(20)
    words = ["".join(chance.choices(syllables, k=chance.choice([1, 2, 2, 3, 4]))) for _ in range(1500)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    lines = (" ".join(chance.choices(words, weights, k=chance.randint(6, 14))) for _ in range(size // 20))
    return "\n".join(lines)[:size].encode()


def document(size: int) -> bytes:
    """A JSON document of exactly `size` bytes: records as an API lists them, and a last member that fills up."""
    chance = random.Random(30)
    records: list[dict[str, object]] = []
    while True:
        record = {
            "id": len(records) + 1,
            "question": f"Which of the {chance.randint(2, 99)} ways would you take?",
            "published": f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T12:00:00Z",
            "votes": chance.randint(0, 10_000),
            "open": chance.random() < 0.3,
        }
        if len(encode([*records, record], "")) > size:
            break
        records.append(record)
    empty = encode(records, "")
    return encode(records, "." * (size - len(empty)))


def encode(records: list[dict[str, object]], padding: str) -> bytes:
    return json.dumps({"results": records, "padding": padding}, separators=(",", ":")).encode()
