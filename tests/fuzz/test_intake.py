from __future__ import annotations

import re
import shutil
import struct
import warnings
import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fuzz.strategies import ANY_TEXT, TEXTS, fuzzed, in_time
from grader.intake.archive import Extraction, entry_names, extract
from grader.intake.entries import ArchiveLimits, Refusal
from grader.intake.moodle import owner_of_entry, parse_moodle_name, plain_text
from grader.intake.naming import encodable, natural_order, person_name, shown, slug, unique_ids
from grader.intake.places import DECISIONS, staff_file
from grader.intake.submissions import read_submissions
from grader.model import Submission

SMALL = ArchiveLimits(
    entries=50, file_bytes=5_000, share_bytes=20_000, total_bytes=20_000, free_bytes=1_000, depth=5
)
PARTS = (
    st.sampled_from(["..", ".", "", "a", "A", "a\u0308", "C:", "~", "\\", "\0", " ", "x.ipynb", "__MACOSX"])
    | ANY_TEXT
)
NAMES = st.lists(PARTS, min_size=1, max_size=6).map("/".join)


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """A zip with odd entries, of which some bytes were changed, cut off or put before it."""
    path = Path("/dev/shm") / f"fuzz-{draw(st.integers(0, 2**30))}.zip"
    try:
        with zipfile.ZipFile(path, "w") as archive:
            for name in draw(st.lists(NAMES, max_size=5)):
                info = zipfile.ZipInfo("x")
                info.filename = encodable(name)
                info.compress_type = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
                info.external_attr = draw(st.integers(0, 2**32 - 1))
                content = draw(st.binary(max_size=40)) * draw(st.integers(0, 400))
                with warnings.catch_warnings(action="ignore"):  # two entries of one name
                    archive.writestr(info, content)
        data = bytearray(path.read_bytes())
    finally:
        path.unlink(missing_ok=True)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + 4] = draw(
            st.binary(min_size=4, max_size=4) | st.integers(0, 2**32 - 1).map(lambda n: struct.pack("<I", n))
        )
    cut = draw(st.integers(0, 20))
    return draw(st.binary(max_size=30)) * draw(st.integers(0, 1)) + bytes(data[: len(data) - cut])


@fuzzed
@given(archives() | st.binary(max_size=400))
def test_archives_are_unpacked_or_refused_and_nothing_lies_outside(tmp_path_factory, data: bytes) -> None:
    base: Path = tmp_path_factory.getbasetemp() / "archives"
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir()
    archive = base / "z.zip"
    archive.write_bytes(data)
    names = in_time(entry_names, archive, SMALL)
    outcome = in_time(extract, archive, base / "deep" / "er" / "ws", SMALL)
    assert isinstance(names, Refusal | tuple)
    assert isinstance(outcome, Refusal | Extraction)
    assert {path.name for path in base.iterdir()} <= {"z.zip", "deep"}
    assert not any(path.is_symlink() for path in base.rglob("*"))
    assert sum(path.stat().st_size for path in (base / "deep").rglob("*") if path.is_file()) < 100_000


@fuzzed
@given(TEXTS, st.lists(TEXTS, max_size=5))
def test_names_are_taken_apart_and_made_safe(name: str, labels: list[str]) -> None:
    named = in_time(parse_moodle_name, f"{name}_17_assignsubmission_file_{name}")
    assert named is not None
    in_time(owner_of_entry, f"{name}/{name}_1_assignsubmission_file/{name}")
    assert in_time(slug, name) == in_time(slug, in_time(slug, name))
    in_time(natural_order, name)
    assert len(in_time(shown, name)) <= 80
    assert not re.search(r"[\x00-\x1f\ud800-\udfff\u202a-\u202e]", in_time(person_name, name) or "")
    ids = in_time(unique_ids, labels)
    assert len({one.casefold() for one in ids}) == len(labels)
    assert all(one.isascii() and "/" not in one and one not in ("", ".", "..") for one in ids)


@fuzzed
@given(
    TEXTS
    | st.lists(
        st.sampled_from(
            ["<p>", "<", ">", "&#", "&amp;", "<!--", "-->", "<script>", "</script", "<a href='", "x"]
        ),
        max_size=60,
    ).map("".join)
)
def test_online_texts_become_plain(markup: str) -> None:
    assert isinstance(in_time(plain_text, markup * 50), str)


FILE_NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=30
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)
FOLDERS = FILE_NAMES | st.builds(
    "{}_{}_assignsubmission_{}".format,
    FILE_NAMES,
    st.integers(0, 10**9),
    st.sampled_from(["file", "onlinetext"]),
)


@fuzzed
@given(
    st.dictionaries(
        FOLDERS,
        st.dictionaries(
            FILE_NAMES | st.sampled_from(["a.ipynb", "b.zip", "decisions.csv"]),
            st.binary(max_size=60),
            max_size=3,
        ),
        max_size=4,
    )
)
def test_folders_of_hand_ins_are_read(tmp_path_factory, tree: dict[str, dict[str, bytes]]) -> None:
    base: Path = tmp_path_factory.getbasetemp() / "folders"
    shutil.rmtree(base, ignore_errors=True)
    a1 = base / "in" / "a1"
    (a1 / "Participant_1_assignsubmission_file").mkdir(parents=True)
    (a1 / "Participant_1_assignsubmission_file" / "good.ipynb").write_text('{"cells": []}')
    for folder, files in tree.items():
        for name, content in files.items():
            (a1 / folder).mkdir(exist_ok=True)
            (a1 / folder / name).write_bytes(content)
    records = in_time(lambda: list(read_submissions(a1, workspace=base / "ws")))
    assert any(isinstance(record, Submission) for record in records)
    assert len({record.id.casefold() for record in records}) == len(records)
    assert all(record.reason.endswith(".") for record in records if not isinstance(record, Submission))
    assert staff_file(a1, "a1", DECISIONS) is None
