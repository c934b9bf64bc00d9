"""Runs the desk on this machine: bound to loopback, with a key in its address."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn

from grader.errors import UsageError
from grader.review.app import review_app
from grader.review.desk import ReviewDesk

HOST = "127.0.0.1"


class _Server(uvicorn.Server):
    """Tells its address only when it answers, and listens to Ctrl-C: before, an import can swallow that."""

    def __init__(self, config: uvicorn.Config, tell_address: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_address = tell_address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await asyncio.to_thread(self._tell_address)  # which may wait for a browser


def serve(desk: ReviewDesk, port: int | None, tell: Callable[[str], None]) -> None:
    """Serve the desk until it is interrupted. `tell` gets the address, key included, once it answers.

    Without a `port` it is the course's usual one, for browsers keep drafts by address, or any where that is
    taken. Raises `UsageError` when `port` is taken.
    """
    listening = _listening((port,) if port is not None else (usual_port(desk.course.root), 0))
    number = listening.getsockname()[1]
    token = secrets.token_urlsafe(24)
    app = review_app(desk, token, (f"{HOST}:{number}", f"localhost:{number}"))
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    with listening, suppress(KeyboardInterrupt):
        address = f"http://{HOST}:{number}/?token={token}"
        _Server(config, lambda: tell(address)).run(sockets=[listening])


def usual_port(root: Path) -> int:
    """The port of a course: always the same, below those that systems give away by themselves."""
    digest = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).digest()
    return 20_000 + int.from_bytes(digest[:4]) % 10_000


def _listening(ports: Sequence[int]) -> socket.socket:
    """A socket that listens on the first of `ports` that can be had."""
    for port in ports:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen()  # whoever has the address can knock at once
            return listening
        except OSError as error:
            listening.close()
            trouble = error.strerror
    raise UsageError(f"Port {ports[-1]} cannot be had ({trouble}): name another with --port.")
