"""Hand-ins that attack by what they consist of: archives, links, pipes, sizes, names."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from hostile.classroom import NOTHING_DONE, a_notebook

_HARMLESS = json.dumps(a_notebook([NOTHING_DONE]))
_DECISIONS = "submission,criterion,points,comment,who\n{},accuracy,1,well done,A. Lecturer\n"


class Oddity(NamedTuple):
    """One such hand-in, and its label: the reason that it is rejected for, or else flags of its grade."""

    make: Callable[[Path], None]  # given the hand-in's folder, which is there and empty
    rejected: str = ""
    flags: tuple[str, ...] = ()
    folder: str = "Participant_{}_assignsubmission_file"


def _zipped(entries: Mapping[str, str], kinds: Mapping[str, int] | None = None) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        with zipfile.ZipFile(folder / "work.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries.items():
                info = zipfile.ZipInfo(name)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = (kinds or {}).get(name, stat.S_IFREG | 0o644) << 16
                archive.writestr(info, content)

    return make


def _files(files: Mapping[str, str]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, "utf-8")

    return make


def _sparse(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        file.truncate(size_bytes)


def _links_and_pipes(folder: Path) -> None:
    (folder / "hand-in.ipynb").write_text(_HARMLESS, "utf-8")
    (folder / "other.csv").symlink_to(folder.parents[2] / "rubrics" / "a1.yaml")
    (folder / "up").symlink_to(folder.parents[2])
    os.mkfifo(folder / "pipe.csv")
    _sparse(folder / "large.csv", 2**40)


def _more_than_a_room_holds(folder: Path) -> None:
    (folder / "hand-in.ipynb").write_text(_HARMLESS, "utf-8")
    with (folder / "large.csv").open("wb") as file:
        file.write(b"x" * 80_000_000)


def _linked_notebook(folder: Path) -> None:
    witness = next(folder.parent.glob("*/hand-in.ipynb"))
    (folder / "hand-in.ipynb").symlink_to(witness)


def _sparse_zip(folder: Path) -> None:
    _sparse(folder / "work.zip", 2**41)


def _odd_names(folder: Path) -> None:
    (folder / "hand-in.ipynb").write_text(_HARMLESS, "utf-8")
    for name in ('=HYPERLINK("http:,,x").csv', "+1.csv", "\u202ecsv.exe", "<img src=x onerror=alert(1)>.csv"):
        (folder / name).write_text("x", "utf-8")
    (folder / os.fsdecode(b"no-unicode-\xff.csv")).write_text("x", "utf-8")


def _far_too_many_cells(folder: Path) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": "x", "outputs": [], "execution_count": None}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell] * 100_000}
    (folder / "hand-in.ipynb").write_text(json.dumps(notebook), "utf-8")


def _a_text_of_many_megabytes(folder: Path) -> None:
    notebook = a_notebook([NOTHING_DONE], text="a very long line of text " * 2_000_000)
    (folder / "hand-in.ipynb").write_text(json.dumps(notebook), "utf-8")


ODDITIES = {
    "zip slip": Oddity(
        _zipped({"../../../slipped.txt": "x", "work.ipynb": _HARMLESS}), rejected="leads out of the folder"
    ),
    "a zip bomb": Oddity(
        _zipped({"work.ipynb": _HARMLESS, "bomb.csv": "0" * 64 * 2**20}), rejected="as zip bombs do"
    ),
    "a zip of thousands": Oddity(
        _zipped({f"{number}.csv": "" for number in range(5_001)}), rejected="it has 5,001 entries"
    ),
    "names that differ by case": Oddity(
        _zipped({"work.ipynb": _HARMLESS, "WORK.ipynb": _HARMLESS}), rejected="has the same name as another"
    ),
    "a link in a zip": Oddity(
        _zipped({"work.ipynb": _HARMLESS, "x": "/etc/passwd"}, {"x": stat.S_IFLNK | 0o777}),
        rejected="is a link",
    ),
    "a zip of two terabytes": Oddity(_sparse_zip, rejected="larger than"),
    "another one's place in a zip": Oddity(
        _zipped({f"Participant_{n}_assignsubmission_file/hand-in.ipynb": _HARMLESS for n in (101, 102)}),
        rejected="looks like Moodle's download of a whole class",
    ),
    "links, a pipe and a huge file": Oddity(_links_and_pipes, flags=("never opened", "Left out")),
    "the notebook is a link to another one's": Oddity(_linked_notebook, rejected="never opened"),
    "decisions of its own": Oddity(
        _files(
            {
                "hand-in.ipynb": _HARMLESS,
                "decisions.csv": _DECISIONS.format("Participant_102"),
                "a1/decisions.csv": _DECISIONS.format("Participant_102"),
            }
        )
    ),
    "file names for spreadsheets and browsers": Oddity(_odd_names),
    "a formula as a name": Oddity(
        _files({"hand-in.ipynb": _HARMLESS}), folder="=HYPERLINK(1)+@SUM_{}_assignsubmission_file"
    ),
    "files in the places of folders": Oddity(
        _files(
            {"hand-in.ipynb": _HARMLESS, "drive/My Drive": "x", "drive/MyDrive/y": "y", "sample_data": "z"}
        )
    ),
    "more files than a room holds": Oddity(_more_than_a_room_holds, flags=("wrote more than 64 MiB",)),
    "a hundred thousand cells": Oddity(_far_too_many_cells, rejected="100,000 cells"),
    "fifty megabytes of text": Oddity(_a_text_of_many_megabytes, flags=("very long",)),
    "JSON nested a hundred thousand deep": Oddity(
        _files({"hand-in.ipynb": '{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}"}),
        rejected="nested too deeply",
    ),
}


def hand_in_oddity(submissions: Path, number: int, oddity: Oddity) -> None:
    """Put an oddity among the hand-ins in `submissions`, as that of participant `number`."""
    folder = submissions / oddity.folder.format(number)
    folder.mkdir(parents=True)
    oddity.make(folder)
