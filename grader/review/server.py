"""Runs the desk on this machine: bound to loopback, with a key in its address."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from grader.errors import UsageError
from grader.review.app import review_app
from grader.review.desk import ReviewDesk

HOST = "127.0.0.1"


def serve(desk: ReviewDesk, port: int | None, tell: Callable[[str], None]) -> None:
    """Serve the desk until it is interrupted. `tell` gets the address, key included, once it answers.

    Without a `port` any free one is taken. Raises `UsageError` when the port is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port or 0))
        listening.listen()  # whoever has the address can knock at once
    except OSError as error:
        listening.close()
        raise UsageError(
            f"Port {port} cannot be had ({error.strerror}): name another with --port."
        ) from error
    number = listening.getsockname()[1]
    token = secrets.token_urlsafe(24)
    app = review_app(desk, token, (f"{HOST}:{number}", f"localhost:{number}"))
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    with listening, suppress(KeyboardInterrupt):
        tell(f"http://{HOST}:{number}/?token={token}")
        uvicorn.Server(config).run(sockets=[listening])
