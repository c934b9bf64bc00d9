"""Tries the same attempts against nbgrader and otter-grader and prints what was seen (`make peers`).

Each grader gets an environment of its own below a cache folder, and each attempt a course of its own in a
temporary folder: one hand-in that makes it, one honest one beside it, and one that does nothing.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers.attempts import ATTEMPTS, HONEST, NOTHING, Attempt
from peers.graders import MOST_POINTS, Nbgrader, Otter, Peer, version

_BEGIN, _END = "<!-- peers -->\n", "<!-- /peers -->\n"


def tried(peer: Peer, attempt: Attempt, folder: Path) -> str:
    """What was seen of one attempt against one grader, in a few words."""
    loot, course = folder / "loot", folder / "course"
    for place in (loot, course):
        place.mkdir()
    neighbour = f"neighbour-{secrets.token_hex(6)}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = {
            "LOOT": str(loot),
            "PORT": str(listener.getsockname()[1]),
            "NEIGHBOUR": neighbour,
            "COURSE": str(folder),
        }

        def filled(source: str) -> str:
            for word, meaning in words.items():
                source = source.replace(word, meaning)
            return source

        hand_ins = {
            "a-honest": filled(HONEST),
            "b-hostile": filled(attempt.source(peer.name)),
            "c-nothing": NOTHING,
        }
        begin = time.monotonic()
        points = peer.grade(course, hand_ins, {"A_SECRET": str(loot), "TMPDIR": "/tmp"})
        seconds = time.monotonic() - begin
    seen = _points_in_words(points)
    if any(loot.iterdir()):
        seen.insert(0, "**done**")
    left = [
        p
        for p in psutil.process_iter(["cmdline"])
        if any(str(loot) in word for word in p.info["cmdline"] or ())
    ]
    if left:
        seen.insert(0, "**a process was left running**")
    for process in left:
        process.kill()
    if attempt.name == "loop":
        seen.append(f"{seconds:.0f} s in all")
    return "; ".join(seen) or "nothing"


def _points_in_words(points: dict[str, float | str]) -> list[str]:
    honest, hostile, nothing = (points[name] for name in ("a-honest", "b-hostile", "c-nothing"))
    seen = []
    if isinstance(hostile, str):
        seen.append(hostile)
    elif isinstance(nothing, str) or hostile > nothing:
        seen.append(f"**{hostile:g} of {MOST_POINTS:g} points** for no work")
    if honest != MOST_POINTS:
        what = honest if isinstance(honest, str) else f"{honest:g} of {MOST_POINTS:g} points"
        seen.append(f"**the honest hand-in beside it: {what}**")
    return seen


def main(arguments: Sequence[str]) -> None:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "grader-peers"
    parser.add_argument("--cache", type=Path, default=cache, help="where the graders are installed")
    parser.add_argument("--only", default="", help="names of attempts, separated by commas")
    parser.add_argument("--write", type=Path, help="a page whose table, between marks, is written anew")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    peers: list[Peer] = [Nbgrader(options.cache), Otter(options.cache)]
    heads = [f"{peer.package} {version(peer, options.cache)}" for peer in peers]
    lines = [f"| attempt | {' | '.join(heads)} |", "|---" * (len(peers) + 1) + "|"]
    print("\n".join(lines))
    for attempt in ATTEMPTS:
        if not options.only or attempt.name in options.only.split(","):
            lines.append(f"| {attempt.what} | {' | '.join(_tried_by_all(peers, attempt))} |")
            print(lines[-1], flush=True)
    if options.write is not None:
        page = options.write.read_text("utf-8")
        before, after = page.split(_BEGIN)[0], page.split(_END)[1]
        options.write.write_text("".join([before, _BEGIN, "\n".join(lines), "\n", _END, after]), "utf-8")


def _tried_by_all(peers: Sequence[Peer], attempt: Attempt) -> Iterator[str]:
    for peer in peers:
        with tempfile.TemporaryDirectory(prefix="peers-") as name:
            yield tried(peer, attempt, Path(name))


if __name__ == "__main__":
    main(sys.argv[1:])
