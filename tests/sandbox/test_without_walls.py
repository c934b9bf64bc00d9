"""How a kernel without walls hears its job, is interrupted, and ends with the grader."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from grader.sandbox.leads import JobPipe
from grader.sandbox.staging import ROOM

KERNEL = f"""
import sys, time
sys.path.insert(0, {str(ROOM)!r})
import without_walls
stream, end = without_walls.take_streams()
import os
print("nobody reads this", flush=True)
os.write(end, b"job: " + without_walls.received(stream))
assert sys.stdin.read() == ""
try:
    time.sleep(60)
except KeyboardInterrupt:
    os.write(end, b"interrupted\\n")
time.sleep(60)
"""


def test_it_hears_its_job_is_interrupted_and_ends_with_the_grader():
    job = JobPipe()
    kernel = subprocess.Popen(
        [sys.executable, "-c", KERNEL], stdin=job.inside, stdout=subprocess.PIPE, start_new_session=True
    )
    assert kernel.stdout is not None
    try:
        job.inside.close()
        job.send(b"{}")
        assert kernel.stdout.readline() == b"job: {}\n"
        time.sleep(0.3)  # until it sleeps
        job.send(b"interrupt")
        assert kernel.stdout.readline() == b"interrupted\n"
        job.close()
        assert kernel.wait(10) == 1
    finally:
        kernel.kill()
        kernel.communicate()


def test_links_are_copies_where_nobody_can_make_any(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOM)
    import links

    (tmp_path / "My Drive").mkdir()
    (tmp_path / "My Drive" / "notes.txt").write_text("mine", "utf-8")
    links.link("My Drive", f"{tmp_path}/there")
    assert (tmp_path / "there").is_symlink()

    def refused(*_: object) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(os, "symlink", refused)
    links.link("My Drive", f"{tmp_path}/MyDrive")
    links.link(f"{tmp_path}/My Drive/notes.txt", f"{tmp_path}/notes.txt")
    assert (tmp_path / "MyDrive" / "notes.txt").read_text("utf-8") == "mine"
    assert (tmp_path / "notes.txt").read_text("utf-8") == "mine"
