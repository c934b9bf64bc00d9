import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.intake.archive import CLASS_LIMITS, HAND_IN_LIMITS, Extraction, entry_names, extract, sha256_of
from grader.intake.entries import ArchiveLimits, Refusal

MakeZip = Callable[..., Path]
SMALL = ArchiveLimits(
    entries=20,
    file_bytes=100_000,
    share_bytes=150_000,
    total_bytes=150_000,
    ratio=50,
    free_bytes=20_000,
    depth=4,
)


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def refusals_of(outcome: Extraction | Refusal) -> list[str]:
    return [str(one) for one in outcome.refusals] if isinstance(outcome, Extraction) else [str(outcome)]


def with_entry(path: Path, info: zipfile.ZipInfo, data: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, data)
    return path


def test_a_good_zip_is_unpacked_under_its_hash_and_used_again(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = a_zip(tmp_path / "good.zip", {"a/b.txt": b"hello", "a/": b"", "empty/": b"", "c.txt": b""})
    first = extract(archive, tmp_path / "ws", HAND_IN_LIMITS)
    assert isinstance(first, Extraction)
    assert first.folder == tmp_path / "ws" / sha256_of(archive) / "files"
    assert files_below(first.folder) == {"a/b.txt", "c.txt"}
    assert (first.folder / "empty").is_dir()
    marker = (first.folder / "c.txt").stat().st_ino
    assert extract(archive, tmp_path / "ws", HAND_IN_LIMITS) == first
    assert (first.folder / "c.txt").stat().st_ino == marker
    assert [path.name for path in (tmp_path / "ws").iterdir()] == [sha256_of(archive)]


def test_what_was_unpacked_with_other_limits_is_not_used_again(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = a_zip(tmp_path / "z.zip", {"a.bin": os.urandom(120_000)})
    assert not refusals_of(extract(archive, tmp_path / "ws", HAND_IN_LIMITS))
    assert refusals_of(extract(archive, tmp_path / "ws", SMALL))
    assert not refusals_of(extract(archive, tmp_path / "ws", HAND_IN_LIMITS))


def test_an_unpacking_that_was_killed_is_done_again(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = a_zip(tmp_path / "z.zip", {"a.txt": b"hello"})
    (tmp_path / "ws" / sha256_of(archive) / "files").mkdir(parents=True)
    outcome = extract(archive, tmp_path / "ws", HAND_IN_LIMITS)
    assert isinstance(outcome, Extraction)
    assert files_below(outcome.folder) == {"a.txt"}


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/evil",
        "C:/evil",
        "..\\evil",
        "a\\..\\..\\evil",
        "\\\\host\\evil",
        "a/..",
        "//x",
    ],
)
def test_zip_slip_is_refused_and_nothing_is_written_outside(
    tmp_path: Path, a_zip: MakeZip, name: str
) -> None:
    archive = a_zip(tmp_path / "in" / "slip.zip", {"good.txt": b"x", name: b"evil"})
    outcome = extract(archive, tmp_path / "ws", HAND_IN_LIMITS)
    assert len(refusals_of(outcome)) == 1
    assert "evil" not in {path.name for path in tmp_path.rglob("*")}
    assert not Path("/evil").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_pipes_and_devices_are_refused(tmp_path: Path, a_zip: MakeZip, kind: int) -> None:
    info = zipfile.ZipInfo("thing")
    info.external_attr = (kind | 0o777) << 16
    archive = with_entry(a_zip(tmp_path / "z.zip", {"good.txt": b"x"}), info, b"/etc/passwd")
    outcome = extract(archive, tmp_path / "ws", HAND_IN_LIMITS)
    assert len(refusals_of(outcome)) == 1
    assert isinstance(outcome, Extraction)
    assert files_below(outcome.folder) == {"good.txt"}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.txt", "A.TXT"),
        ("J\u00f6rg.txt", "Jo\u0308rg.txt"),
        ("stra\u00dfe", "STRASSE"),
        ("a", "a/b"),
        ("a/b", "A"),
        ("x/./a", "x//a"),
    ],
)
def test_names_that_meet_are_refused(tmp_path: Path, a_zip: MakeZip, one: str, other: str) -> None:
    archive = a_zip(tmp_path / "z.zip", {one: b"1", other: b"2"})
    outcome = extract(archive, tmp_path / "ws", HAND_IN_LIMITS)
    assert isinstance(outcome, Extraction)
    assert len(files_below(outcome.folder)) == 1
    assert "same name" in refusals_of(outcome)[0]


def test_two_entries_with_one_name_are_refused(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = a_zip(tmp_path / "z.zip", {"a.txt": b"1"})
    with pytest.warns(UserWarning, match="Duplicate"):
        with_entry(archive, zipfile.ZipInfo("a.txt"), b"2")
    outcome = extract(archive, tmp_path / "ws", HAND_IN_LIMITS)
    assert isinstance(outcome, Extraction)
    assert (outcome.folder / "a.txt").read_bytes() == b"1"
    assert len(outcome.refusals) == 1


def test_a_bomb_is_stopped_by_its_ratio_before_it_is_written(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = a_zip(tmp_path / "bomb.zip", {"zeros": bytes(90_000)})
    outcome = extract(archive, tmp_path / "ws", SMALL)
    assert "times its size" in refusals_of(outcome)[0]


def test_many_small_files_that_are_too_much_together_are_stopped(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = a_zip(tmp_path / "bomb.zip", {f"{number}": os.urandom(40_000) for number in range(8)})
    outcome = extract(archive, tmp_path / "ws", SMALL)
    assert refusals_of(outcome)
    written = sum(path.stat().st_size for path in (tmp_path / "ws").rglob("*") if path.is_file())
    assert written < 2 * SMALL.total_bytes


def test_many_small_files_that_all_pack_too_well_are_stopped(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = a_zip(tmp_path / "bomb.zip", {f"{number}": bytes(19_000) for number in range(8)})
    assert "as zip bombs do" in refusals_of(extract(archive, tmp_path / "ws", SMALL))[0]


def test_what_packs_well_in_a_whole_class_is_no_bomb(tmp_path: Path, a_zip: MakeZip) -> None:
    limits = SMALL.model_copy(update={"total_bytes": 10_000_000})
    archive = a_zip(tmp_path / "z.zip", {f"{number}/x": bytes(19_000) for number in range(15)})
    assert not refusals_of(extract(archive, tmp_path / "ws", limits, share=lambda entry: entry.split("/")[0]))


def test_one_share_s_bomb_leaves_the_others_alone(tmp_path: Path, a_zip: MakeZip) -> None:
    limits = SMALL.model_copy(update={"total_bytes": 10_000_000})
    files = {f"evil/{number}": os.urandom(60_000) for number in range(9)} | {"good/a": os.urandom(60_000)}
    outcome = extract(
        a_zip(tmp_path / "z.zip", files), tmp_path / "ws", limits, share=lambda entry: entry.split("/")[0]
    )
    assert isinstance(outcome, Extraction)
    assert "good/a" in files_below(outcome.folder)
    assert all(one.entry is not None and one.entry.startswith("evil/") for one in outcome.refusals)
    assert len(files_below(outcome.folder)) == 3


@pytest.mark.parametrize(
    ("limits", "files"),
    [
        (SMALL, {f"{number}": b"" for number in range(21)}),
        (SMALL, {"a/b/c/d/e": b""}),
        (HAND_IN_LIMITS, {"x" * 256: b""}),
        (HAND_IN_LIMITS, {"/".join(["x" * 200] * 6): b""}),
        (HAND_IN_LIMITS, {"a\nb": b""}),
        (HAND_IN_LIMITS, {".": b""}),
    ],
)
def test_what_is_over_a_bound_is_refused(
    tmp_path: Path, a_zip: MakeZip, limits: ArchiveLimits, files: dict[str, bytes]
) -> None:
    assert refusals_of(extract(a_zip(tmp_path / "z.zip", files), tmp_path / "ws", limits))


def patched(
    archive: Path, offset_in_header: int, fmt: str, value: int, *, also_local: int | None = None
) -> Path:
    data = bytearray(archive.read_bytes())
    central = data.index(b"PK\x01\x02")
    struct.pack_into(fmt, data, central + offset_in_header, value)
    if also_local is not None:
        struct.pack_into(fmt, data, data.index(b"PK\x03\x04") + also_local, value)
    archive.write_bytes(data)
    return archive


@pytest.mark.parametrize("claimed", [10, 70_000])
def test_a_header_that_lies_about_the_size_is_refused(tmp_path: Path, a_zip: MakeZip, claimed: int) -> None:
    archive = a_zip(tmp_path / "z.zip", {"a": os.urandom(30_000)})
    patched(archive, 24, "<I", claimed, also_local=22)
    outcome = extract(archive, tmp_path / "ws", HAND_IN_LIMITS)
    assert isinstance(outcome, Extraction)
    assert len(outcome.refusals) == 1
    assert files_below(outcome.folder) == set()


def test_an_encrypted_entry_is_refused(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = patched(a_zip(tmp_path / "z.zip", {"a": b"secret"}), 8, "<H", 1, also_local=6)
    assert "password" in refusals_of(extract(archive, tmp_path / "ws", HAND_IN_LIMITS))[0]


def test_a_method_without_a_bound_on_memory_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"x" * 1000)
    assert "not supported" in refusals_of(extract(tmp_path / "z.zip", tmp_path / "ws", HAND_IN_LIMITS))[0]


def test_a_name_that_ends_early_is_refused(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = a_zip(tmp_path / "z.zip", {"good.txtXevil": b"x"})
    archive.write_bytes(archive.read_bytes().replace(b"good.txtXevil", b"good.txt\0evil"))
    assert refusals_of(extract(archive, tmp_path / "ws", HAND_IN_LIMITS))


@pytest.mark.parametrize("keep", [0, 10, 60, -1, -30])
def test_a_damaged_zip_is_a_refusal_and_leaves_no_file_open(
    tmp_path: Path, a_zip: MakeZip, keep: int
) -> None:
    archive = a_zip(tmp_path / "z.zip", {"a": os.urandom(500), "b": b"y"})
    archive.write_bytes(archive.read_bytes()[:keep])
    assert isinstance(extract(archive, tmp_path / "ws", HAND_IN_LIMITS), Refusal)
    assert isinstance(entry_names(archive, HAND_IN_LIMITS), Refusal)


def test_an_endless_table_of_contents_is_never_read(tmp_path: Path, a_zip: MakeZip) -> None:
    limits = ArchiveLimits(entries=10)
    archive = a_zip(tmp_path / "z.zip", {f"{number:0200}": b"" for number in range(4_000)})
    assert "damaged" in refusals_of(extract(archive, tmp_path / "ws", limits))[0]


def test_utf8_names_without_the_flag_are_read_as_utf8(tmp_path: Path, a_zip: MakeZip) -> None:
    archive = a_zip(tmp_path / "z.zip", {"XXXX.txt": b"x"})
    archive.write_bytes(archive.read_bytes().replace(b"XXXX.txt", "öß.txt".encode()))
    assert entry_names(archive, HAND_IN_LIMITS) == ("öß.txt",)
    outcome = extract(archive, tmp_path / "ws", HAND_IN_LIMITS)
    assert isinstance(outcome, Extraction)
    assert files_below(outcome.folder) == {"öß.txt"}


def test_rubbish_is_left_out_without_a_word(tmp_path: Path, a_zip: MakeZip) -> None:
    files = {"__MACOSX/._a": b"", ".DS_Store": b"", "d/.ipynb_checkpoints/a.ipynb": b"", "a": b"1"}
    outcome = extract(a_zip(tmp_path / "z.zip", files), tmp_path / "ws", HAND_IN_LIMITS)
    assert isinstance(outcome, Extraction)
    assert outcome.refusals == ()
    assert files_below(outcome.folder) == {"a"}


def test_a_workspace_that_cannot_be_made_is_a_usage_error(tmp_path: Path, a_zip: MakeZip) -> None:
    (tmp_path / "ws").write_text("a file is in the way")
    with pytest.raises(UsageError, match="unpacked"):
        extract(a_zip(tmp_path / "z.zip", {"a": b"1"}), tmp_path / "ws", CLASS_LIMITS)


HOSTILE_PARTS = st.sampled_from(
    ["..", ".", "", "a", "A", "ä", "a\u0308", "C:", "~", "\\", "..\\..", "\0", " ", "…"]
)
NAMES = st.one_of(
    st.lists(st.one_of(HOSTILE_PARTS, st.text(max_size=4)), min_size=1, max_size=6).map("/".join),
    st.text(max_size=30),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_whatever_the_names_nothing_is_written_outside(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    base = tmp_path_factory.mktemp("case")
    archive = base / "z.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        for name in names:
            info = zipfile.ZipInfo("x")
            info.filename = name
            writer.writestr(info, name.encode())
    deep = base / "1" / "2" / "3" / "ws"
    outcome = extract(archive, deep, HAND_IN_LIMITS)
    outside = [path for path in base.rglob("*") if path.is_file() and deep not in path.parents]
    assert outside == [archive]
    if isinstance(outcome, Extraction):
        assert files_below(deep) >= {
            f"{sha256_of(archive)}/files/{name}" for name in files_below(outcome.folder)
        }
        assert not any(path.is_symlink() for path in deep.rglob("*"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_zip_with_flipped_bytes_never_raises(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    base = tmp_path_factory.mktemp("flip")
    archive = base / "z.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("a/b.txt", b"hello " * 50)
        writer.writestr("c", b"")
    raw = bytearray(archive.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    archive.write_bytes(raw)
    outcome = extract(archive, base / "ws", SMALL)
    assert isinstance(outcome, Extraction | Refusal)
    assert {path.name for path in base.iterdir()} == {"z.zip", "ws"}
