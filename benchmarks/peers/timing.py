"""How long other ways to run the same notebooks take."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from peers.graders import Peer, installed

_MOST_SECONDS = 600


def plain_nbclient(sources: Sequence[str], environment: Mapping[str, str]) -> float:
    """Seconds of one notebook with nbclient and nothing else."""
    begin = time.perf_counter()
    _client(sources).execute(env=os.environ | environment)
    return time.perf_counter() - begin


def nbclient_at_once(sources: Sequence[str], count: int) -> None:
    """Run a notebook with nbclient, in as many kernels at the same time."""

    async def run() -> None:
        await asyncio.gather(*(_client(sources).async_execute() for _ in range(count)))

    asyncio.run(run())


def _client(sources: Sequence[str]) -> NotebookClient:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=_MOST_SECONDS, kernel_name="python3")


def with_peer(peer: Peer, sources: Sequence[str], environment: Mapping[str, str], size: int) -> float:
    """Seconds that each further hand-in takes: `size` of them less one of them, so that no start counts."""

    def seconds(count: int) -> float:
        text = "\n".join(sources)
        hand_ins = {f"s{n}": f"square = lambda x: x * x\n{text}\n# {n}" for n in range(count)}
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            begin = time.perf_counter()
            points = peer.grade(Path(folder), hand_ins, dict(environment))
            ended = time.perf_counter() - begin
        if any(not given for given in points.values()) or any(isinstance(p, str) for p in points.values()):
            raise SystemExit(f"{peer.package} could not grade the notebooks: {points}")
        return ended

    return (seconds(size) - seconds(1)) / (size - 1)


def let_it_see_tensorflow(peer: Peer, cache: Path) -> None:
    """Put this environment's packages behind the peer's own."""
    site = next((installed(peer, cache).parent / "lib").glob("python*/site-packages"))
    ours = next(Path(place) for place in sys.path if place.endswith("site-packages"))
    (site / "behind-its-own.pth").write_text(f"{ours}\n")
