import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bounded import bounded

from grader.errors import UsageError
from grader.intake.submissions import read_submissions
from grader.model import Rejected, Submission

Build = Callable[..., Path]
Notebook = Callable[..., bytes]
Read = Callable[..., list[Submission | Rejected]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def run(path: Path, assignment: str | None = None) -> list[Submission | Rejected]:
        found = list(read_submissions(path, assignment=assignment, workspace=tmp_path / "ws"))
        for one in found:
            assert type(one).model_validate_json(one.model_dump_json()) == one
            if isinstance(one, Submission):
                assert (one.folder / one.notebook).is_file()
                assert all((one.folder / attached.name).is_file() for attached in one.attachments)
        assert len({(one.assignment, one.id.casefold()) for one in found}) == len(found)
        return found

    return run


def graded(records: list[Submission | Rejected]) -> dict[str, Submission]:
    return {one.id: one for one in records if isinstance(one, Submission)}


def rejected(records: list[Submission | Rejected]) -> dict[str, str]:
    return {one.id: one.reason for one in records if isinstance(one, Rejected)}


def folder_mode(notebook: bytes, ending: str) -> dict[str, bytes]:
    return {
        f"Anna Meier_12_assignsubmission_file{ending}/My work & more (1).ipynb": notebook,
        f"Anna Meier_12_assignsubmission_file{ending}/datasets.py": b"x = 1",
        "Anna Meier_12_assignsubmission_onlinetext/onlinetext.html": b"<p>see <b>file</b></p>",
        f"Jörg Müller_9_assignsubmission_file{ending}/a1.ipynb": notebook,
    }


def flat_mode(notebook: bytes) -> dict[str, bytes]:
    return {
        "Anna Meier_12_assignsubmission_file_My work & more (1).ipynb": notebook,
        "Anna Meier_12_assignsubmission_file_datasets.py": b"x = 1",
        "Anna Meier_12_assignsubmission_onlinetext_onlinetext.html": b"<p>see <b>file</b></p>",
        "Jörg Müller_9_assignsubmission_file_a1.ipynb": notebook,
    }


@pytest.mark.parametrize("mode", ["old", "new", "flat"])
@pytest.mark.parametrize("packed", [True, False])
def test_moodle_s_download_gives_one_submission_per_person(
    tmp_path: Path, a_notebook: Notebook, a_zip: Build, a_folder: Build, read: Read, mode: str, packed: bool
) -> None:
    files = flat_mode(a_notebook()) if mode == "flat" else folder_mode(a_notebook(), "_" * (mode == "old"))
    path = a_zip(tmp_path / "a1.zip", files) if packed else a_folder(tmp_path / "a1", files)
    records = read(path)
    assert [one.id for one in records] == ["Anna-Meier_12", "Jorg-Muller_9"]
    anna = graded(records)["Anna-Meier_12"]
    assert (anna.participant.name, anna.participant.id, anna.assignment) == ("Anna Meier", "12", "a1")
    assert anna.notebook == "My work & more (1).ipynb"
    assert [one.name for one in anna.attachments] == ["datasets.py"]
    assert anna.online_text == "see file"
    assert read(path) == records


def test_blind_marking_gives_ids_and_no_names(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    files = {f"Participant_{number}_assignsubmission_file/x.ipynb": a_notebook() for number in (101, 9)}
    records = read(a_folder(tmp_path / "a1", files))
    assert [one.id for one in records] == ["Participant_9", "Participant_101"]
    assert all(one.participant.is_blind and one.participant.name is None for one in records)


def test_a_team_s_hand_in_is_the_team_s(
    tmp_path: Path, a_notebook: Notebook, a_zip: Build, read: Read
) -> None:
    files = {
        "Group 4_55_assignsubmission_file/x.ipynb": a_notebook(),
        "Default group_assignsubmission_file/y.ipynb": a_notebook("y = 2"),
    }
    records = read(a_zip(tmp_path / "a1.zip", files))
    assert [one.id for one in records] == ["Default-group", "Group-4_55"]
    assert all(one.participant.is_group for one in records)


def test_in_a_folder_of_notebooks_each_is_its_own_hand_in(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    files = {
        "anna.ipynb": a_notebook(),
        "Bob Müller [final].IPYNB": a_notebook(),
        "decisions.csv": b"a,b",
        "README.md": b"#",
        "helper.py": b"",
        ".hidden.ipynb": b"{",
        ".ipynb_checkpoints/anna-checkpoint.ipynb": b"{",
    }
    records = read(a_folder(tmp_path / "all", files), "a1")
    assert sorted(graded(records)) == ["Bob-Muller-final", "anna"]
    assert len(records) == 2
    assert all(one.attachments == () for one in graded(records).values())


def test_one_notebook_is_one_hand_in(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    folder = a_folder(tmp_path / "mine", {"mine.ipynb": a_notebook(), "other.ipynb": a_notebook()})
    (record,) = read(folder / "mine.ipynb", "a1")
    assert isinstance(record, Submission)
    assert (record.id, record.notebook, record.assignment) == ("mine", "mine.ipynb", "a1")


def test_a_notebook_in_moodle_s_folder_keeps_its_owner(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    folder = a_folder(tmp_path / "a1", {"Participant_7_assignsubmission_file/x.ipynb": a_notebook()})
    in_folder = folder / "Participant_7_assignsubmission_file"
    assert [one.id for one in read(in_folder / "x.ipynb")] == ["Participant_7"]
    assert [one.id for one in read(in_folder)] == ["Participant_7"]


def test_a_hand_in_s_own_folder_is_never_taken_for_a_course(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    folder = a_folder(tmp_path / "all" / "Participant_7_assignsubmission_file", {"a2/x.py": b""})
    a_zip(folder / "a1.zip", {"x.ipynb": a_notebook()})
    assert [(one.assignment, one.id) for one in read(folder, "a1")] == [("a1", "Participant_7")]


def test_pictures_in_an_online_text_are_not_read_as_text(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    files = flat_mode(a_notebook()) | {"Anna Meier_12_assignsubmission_onlinetext_cat.png": b"\x89PNG"}
    assert graded(read(a_folder(tmp_path / "a1", files)))["Anna-Meier_12"].online_text == "see file"


def test_a_folder_of_assignments_is_read_as_a_whole_or_by_name(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    course = a_folder(
        tmp_path / "submissions",
        {"a1/anna/x.ipynb": a_notebook(), "a10/anna.ipynb": a_notebook(), "README.md": b""},
    )
    a_zip(course / "a2" / "download.zip", {"Anna_12_assignsubmission_file/x.ipynb": a_notebook()})
    a_zip(course / "a2" / "bob.zip", {"bob/x.ipynb": a_notebook(), "bob/y.py": b""})
    found = [(one.assignment, one.id) for one in read(course)]
    assert found == [("a1", "anna"), ("a2", "Anna_12"), ("a2", "bob"), ("a10", "anna")]
    assert [one.assignment for one in read(course, "a2")] == ["a2", "a2"]
    with pytest.raises(UsageError, match="has no a3, only a1, a2, a10"):
        read(course, "a3")


def test_the_assignment_is_taken_from_the_nearest_folder_or_asked_for(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    folder = a_folder(tmp_path / "a2" / "week" / "all", {"anna.ipynb": a_notebook()})
    assert [one.assignment for one in read(folder)] == ["a2"]
    assert [one.assignment for one in read(folder / "anna.ipynb")] == ["a2"]
    assert [one.assignment for one in read(folder, "a7")] == ["a7"]
    with pytest.raises(UsageError, match="--assignment"):
        read(a_folder(tmp_path / "nowhere", {"anna.ipynb": a_notebook()}))
    with pytest.raises(UsageError, match="is no assignment"):
        read(folder, "A 1")


@pytest.mark.parametrize("name", ["gone", "empty", "only_text", "notes.txt"])
def test_nothing_to_grade_is_a_usage_error_before_the_first_record(
    tmp_path: Path, a_folder: Build, name: str
) -> None:
    a_folder(tmp_path, {"empty/": b"", "only_text/a.txt": b"", "notes.txt": b""})
    with pytest.raises(UsageError):
        read_submissions(tmp_path / name, assignment="a1", workspace=tmp_path / "ws")


def test_what_unzip_programs_wrap_around_is_looked_through(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    files = {"Course-Assignment 1-77/Participant_5_assignsubmission_file/x.ipynb": a_notebook()}
    assert [one.id for one in read(a_folder(tmp_path / "a1", files))] == ["Participant_5"]
    assert [one.id for one in read(a_zip(tmp_path / "x.zip", files), "a1")] == ["Participant_5"]


def test_a_packed_folder_of_notebooks_or_assignments_is_read_like_the_folder(
    tmp_path: Path, a_notebook: Notebook, a_zip: Build, read: Read
) -> None:
    notebooks = a_zip(tmp_path / "n.zip", {"all/anna.ipynb": a_notebook(), "all/bob.ipynb": a_notebook()})
    assert sorted(graded(read(notebooks, "a1"))) == ["anna", "bob"]
    course = a_zip(tmp_path / "c.zip", {"s/a1/anna.ipynb": a_notebook(), "s/a2/bob/x.ipynb": a_notebook()})
    assert [(one.assignment, one.id) for one in read(course)] == [("a1", "anna"), ("a2", "bob")]
    alone = a_zip(tmp_path / "anna.zip", {"anna/x.ipynb": a_notebook(), "anna/helper.py": b""})
    (anna,) = graded(read(alone, "a1")).values()
    assert (anna.id, [one.name for one in anna.attachments]) == ("anna", ["anna/helper.py"])


def in_hand_in(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"Participant_1_assignsubmission_file/{name}": data for name, data in files.items()}


def test_the_notebook_that_is_the_assignment_is_chosen_and_named(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    files = {
        "Assignment_01_group.ipynb": a_notebook("x = 1\n" * 20),
        "assignment2.ipynb": a_notebook("y = 1\n" * 200),
        "demo.ipynb": a_notebook("z = 1\n" * 400),
        ".ipynb_checkpoints/Assignment_01_group-checkpoint.ipynb": a_notebook("q = 1\n" * 900),
    }
    (one,) = graded(read(a_folder(tmp_path / "a1", in_hand_in(files)))).values()
    assert one.notebook == "Assignment_01_group.ipynb"
    assert [attached.name for attached in one.attachments] == ["assignment2.ipynb", "demo.ipynb"]
    assert "Assignment_01_group.ipynb” was taken as the assignment because its name" in one.remarks[0]
    assert "Please check" in one.remarks[1]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("mlp.ipynb", "tutorial_mlp.ipynb"),
        ("DLAssignment1.ipynb", "Untitled.ipynb"),
        ("IDL_A01_Meier.ipynb", "IDL_A02_Meier.ipynb"),
        ("work.ipynb", "Copy of work.ipynb"),
        ("hand-in/a1/main.ipynb", "hand-in/a2/main.ipynb"),
        ("Übung 1.ipynb", "mnist-demo.ipynb"),
    ],
)
def test_the_name_decides_between_notebooks_of_about_equal_size(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read, right: str, wrong: str
) -> None:
    files = in_hand_in({wrong: a_notebook("y = 10"), right: a_notebook("x = 1")})
    (one,) = graded(read(a_folder(tmp_path / "a1", files))).values()
    assert one.notebook == right


def test_the_most_code_decides_where_names_do_not(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    files = {"one.ipynb": a_notebook("x = 1"), "two.ipynb": a_notebook("x = 1\n" * 50), "three.ipynb": b"{"}
    (one,) = graded(read(a_folder(tmp_path / "a1", in_hand_in(files)))).values()
    assert one.notebook == "two.ipynb"
    assert "because it has the most code" in one.remarks[0]
    assert any("three.ipynb” is a damaged notebook" in remark for remark in one.remarks)


def test_the_same_notebook_twice_is_no_choice(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    files = in_hand_in({"a.ipynb": a_notebook(), "a (1).ipynb": a_notebook()})
    (one,) = graded(read(a_folder(tmp_path / "a1", files))).values()
    assert one.notebook == "a.ipynb"
    assert "they are the same" in one.remarks[0]


def test_a_zip_in_a_hand_in_is_unpacked_once_and_not_deeper(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    inner = a_zip(tmp_path / "inner.zip", {"deep.ipynb": a_notebook("z = 1\n" * 99)}).read_bytes()
    files = {"abgabe/work.ipynb": a_notebook(), "abgabe/util.py": b"", "more.zip": inner, "__MACOSX/._x": b""}
    outer = a_zip(tmp_path / "outer.zip", files).read_bytes()
    (alone,) = graded(read(a_folder(tmp_path / "a1", in_hand_in({"hand in.zip": outer})))).values()
    assert alone.notebook == "abgabe/work.ipynb"
    assert [one.name for one in alone.attachments] == ["abgabe/util.py", "more.zip"]
    assert "“hand in.zip” was unpacked." in alone.remarks
    assert any("not unpacked: “more.zip”" in remark for remark in alone.remarks)
    beside = in_hand_in({"report.pdf": b"%PDF", "hand in.zip": outer})
    (mixed,) = graded(read(a_folder(tmp_path / "a2", beside))).values()
    assert mixed.notebook == "hand in/abgabe/work.ipynb"
    assert "report.pdf" in {one.name for one in mixed.attachments}
    assert tmp_path / "ws" in mixed.folder.parents


def test_a_zip_and_a_folder_of_one_name_stay_apart(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    zipped = a_zip(tmp_path / "x.zip", {"a/b.ipynb": a_notebook(), "a/c": b""}).read_bytes()
    (one,) = graded(read(a_folder(tmp_path / "a1", in_hand_in({"x/a": b"", "x.zip": zipped})))).values()
    assert one.notebook == "x_/a/b.ipynb"
    assert [attached.name for attached in one.attachments] == ["x/a", "x_/a/c"]


def test_names_that_grow_too_long_when_composed_reject_their_hand_in_only(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    grows = "\u0344" * 120
    files = {"anna.ipynb": a_notebook()} | in_hand_in({"x.ipynb": a_notebook(), grows: b""})
    records = read(a_folder(tmp_path / "a1", files))
    assert sorted(graded(records)) == ["anna"]
    assert "short, plain names" in rejected(records)["Participant_1"]


def test_a_hostile_zip_rejects_its_own_hand_in_only(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    evil = a_zip(tmp_path / "evil.zip", {"work.ipynb": a_notebook(), "../../evil.txt": b"x"}).read_bytes()
    files = {
        "Participant_1_assignsubmission_file/evil.zip": evil,
        "Participant_2_assignsubmission_file/x.ipynb": a_notebook(),
        "Participant_3_assignsubmission_file/broken.zip": b"PK\x03\x04 no zip at all",
        "Participant_4_assignsubmission_file_x.ipynb": a_notebook(),
    }
    records = read(a_folder(tmp_path / "a1", files))
    assert sorted(graded(records)) == ["Participant_2", "Participant_4"]
    assert "leads out of the folder" in rejected(records)["Participant_1"]
    assert "damaged" in rejected(records)["Participant_3"]
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_hostile_entry_in_moodle_s_zip_rejects_the_hand_in_it_belongs_to(
    tmp_path: Path, a_notebook: Notebook, a_zip: Build, read: Read
) -> None:
    files = {
        "Participant_1_assignsubmission_file/x.ipynb": a_notebook(),
        "Participant_1_assignsubmission_file/../../../evil.txt": b"x",
        "Participant_2_assignsubmission_file/x.ipynb": a_notebook(),
        "Participant_3_assignsubmission_file/../x.ipynb": a_notebook(),
    }
    records = read(a_zip(tmp_path / "a1.zip", files))
    assert sorted(graded(records)) == ["Participant_2"]
    assert sorted(rejected(records)) == ["Participant_1", "Participant_3"]
    assert not list(tmp_path.rglob("evil.txt"))
    files["../Participant_2_assignsubmission_file/x.ipynb"] = b"x"
    with pytest.raises(UsageError, match="leads out"):
        read(a_zip(tmp_path / "evil" / "a1.zip", files))


def test_a_damaged_download_is_a_usage_error_with_the_mend_and_stops_no_other(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    archive = a_zip(tmp_path / "a1.zip", folder_mode(a_notebook(), ""))
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(UsageError, match="download it again"):
        read(archive)
    with pytest.raises(UsageError, match="download it again"):
        read(a_folder(tmp_path / "x" / "a1", {"download.zip": archive.read_bytes()}))
    beside = {"download.zip": archive.read_bytes(), "anna.ipynb": a_notebook()}
    records = read(a_folder(tmp_path / "y" / "a1", beside))
    assert (sorted(graded(records)), sorted(rejected(records))) == (["anna"], ["download"])


def test_a_damaged_member_of_a_download_rejects_only_whom_it_belongs_to(
    tmp_path: Path, a_notebook: Notebook, read: Read
) -> None:
    archive = tmp_path / "a1.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("Participant_1_assignsubmission_file/x.ipynb", a_notebook("first = 1"))
        writer.writestr("Participant_2_assignsubmission_file/x.ipynb", a_notebook("second = 1"))
    archive.write_bytes(archive.read_bytes().replace(b"first = 1", b"fjrst = 1"))
    records = read(archive)
    assert sorted(graded(records)) == ["Participant_2"]
    assert "download the zip again" in rejected(records)["Participant_1"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"train.py": b"x", "report.pdf": b"x"},
            r"“report.pdf” \(a PDF\) and “train.py” \(a Python script\)",
        ),
        ({"": b""}, "nothing in this hand-in"),
        ({".DS_Store": b"x"}, "nothing in this hand-in"),
        ({"x.ipynb": b""}, "is empty"),
        ({"x.ipynb": b"  \n"}, "is empty"),
        ({"x.ipynb": b"<!DOCTYPE html><html>"}, "is a web page"),
        ({"x.ipynb": b'{"cells": ['}, "is a damaged notebook"),
        ({"x.ipynb": b'{"nbformat": 4}'}, "JSON without cells"),
        ({"x.ipynb": b"[1, 2]"}, "JSON without cells"),
        ({"x.ipynb": b"[" * 200_000}, "nested too deeply"),
        ({"x.ipynb": b"\xff\xfe\x00"}, "is no notebook"),
        ({"x.ipynb": b'{"cells": ' + b"9" * 9000 + b"}"}, "damaged"),
        ({"notes.rar": b"Rar!"}, "an archive, but no zip"),
    ],
)
def test_what_is_no_notebook_is_rejected_with_a_sentence(
    tmp_path: Path, a_folder: Build, read: Read, files: dict[str, bytes], expected: str
) -> None:
    records = read(a_folder(tmp_path / "a1", in_hand_in(files)))
    assert re.search(expected, rejected(records)["Participant_1"])


def test_old_notebooks_and_odd_endings_are_submissions(tmp_path: Path, a_folder: Build, read: Read) -> None:
    old = b'\xef\xbb\xbf{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "x"}]}]}'
    records = read(a_folder(tmp_path / "a1", {"anna.ipynb": old, "bob.ipynb.json": b'{"cells": 3}'}))
    assert sorted(graded(records)) == ["anna", "bob"]


def test_a_notebook_of_more_than_64_mib_is_rejected(tmp_path: Path, a_folder: Build, read: Read) -> None:
    folder = a_folder(tmp_path / "a1", {"anna.ipynb": b"{", "bob.ipynb": b'{"cells": []}'})
    os.truncate(folder / "anna.ipynb", 65 * 1024**2)
    assert "65 MiB, more than the 64 MiB" in rejected(read(folder))["anna"]


def test_online_text_alone_is_rejected_and_its_link_named(
    tmp_path: Path, a_folder: Build, read: Read
) -> None:
    page = b'<p>My <a href="https://colab.example/drive/1">notebook</a></p>'
    records = read(a_folder(tmp_path / "a1", {"Anna_3_assignsubmission_onlinetext/onlinetext.html": page}))
    assert "what lies behind a link is not fetched" in rejected(records)["Anna_3"]


@pytest.fixture
def hand_in_with_specials(tmp_path: Path, a_notebook: Notebook, a_folder: Build) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "other.ipynb").write_bytes(a_notebook("stolen = 1"))
    folder = a_folder(tmp_path / "a1" / "Participant_1_assignsubmission_file", {"sub/": b""})
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "sub" / "up").symlink_to(tmp_path)
    (folder / "stolen.ipynb").symlink_to(tmp_path / "other.ipynb")
    os.mkfifo(folder / "pipe.ipynb")
    return folder


def test_links_and_pipes_are_never_followed_and_named(
    hand_in_with_specials: Path, a_notebook: Notebook, read: Read
) -> None:
    only_links = rejected(read(hand_in_with_specials.parent))["Participant_1"]
    assert "“link.txt”, “pipe.ipynb”, “stolen.ipynb” and “sub/up”" in only_links
    (hand_in_with_specials / "own.ipynb").write_bytes(a_notebook())
    (one,) = graded(read(hand_in_with_specials.parent)).values()
    assert (one.notebook, one.attachments) == ("own.ipynb", ())
    assert "“stolen.ipynb”" in one.remarks[0]


def test_a_link_in_place_of_a_hand_in_is_rejected(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    folder = a_folder(tmp_path / "a1", {"anna.ipynb": a_notebook()})
    (folder / "bob.ipynb").symlink_to(folder / "anna.ipynb")
    (folder / "Participant_2_assignsubmission_file").symlink_to(tmp_path)
    os.mkfifo(folder / "carl.ipynb")
    records = read(folder)
    assert sorted(graded(records)) == ["anna"]
    assert sorted(rejected(records)) == ["Participant_2", "bob", "carl"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_the_rights_forbid_to_read_is_rejected_and_stops_no_other(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    files = {
        f"{name}/x.ipynb": a_notebook() for name in ("anna", "bob", "Participant_1_assignsubmission_file")
    }
    folder = a_folder(tmp_path / "a1", files)
    shut = [a_zip(folder / "carl.zip", files), folder / "bob" / "x.ipynb"]
    shut += [folder / "Participant_1_assignsubmission_file", a_folder(tmp_path / "private", {})]
    (folder / "dora.ipynb").symlink_to(tmp_path / "private" / "x.ipynb")
    for path in shut:
        path.chmod(0)
    records = read(folder)
    for path in shut:
        path.chmod(0o700)
    assert sorted(graded(records)) == ["anna"]
    assert sorted(rejected(records)) == ["Participant_1", "bob", "carl", "dora"]


def test_names_that_meet_get_ids_of_their_own(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    files = {
        f"{name}.ipynb": a_notebook(name) for name in ("x y", "x-y", "X_Y", "学生", "先生", "index.html")
    }
    records = read(a_folder(tmp_path / "a1", files))
    assert len(graded(records)) == 6
    assert "index-html" in graded(records)


def test_a_name_that_is_no_unicode_is_graded_from_a_copy(
    tmp_path: Path, a_notebook: Notebook, read: Read
) -> None:
    folder = tmp_path / "a1" / os.fsdecode(b"Anna \xff_4_assignsubmission_file")
    folder.mkdir(parents=True)
    (folder / os.fsdecode(b"w\xfcrk.ipynb")).write_bytes(a_notebook())
    (one,) = graded(read(tmp_path / "a1")).values()
    assert one.participant.id == "4"
    assert one.notebook == "w\ufffdrk.ipynb"


def test_the_same_hand_in_twice_counts_once_and_two_versions_are_for_a_person(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    files = folder_mode(a_notebook(), "")
    folder = a_folder(tmp_path / "a1", files)
    a_zip(folder / "early.zip", files)
    assert len(graded(read(folder))) == 2
    a_zip(
        folder / "late.zip", files | {"Jörg Müller_9_assignsubmission_file/a1.ipynb": a_notebook("new = 1")}
    )
    records = read(folder)
    assert sorted(graded(records)) == ["Anna-Meier_12"]
    assert "late.zip" in rejected(records)["Jorg-Muller_9"]


def test_a_class_s_download_inside_one_hand_in_is_not_taken_for_one_student_s(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, a_zip: Build, read: Read
) -> None:
    download = a_zip(tmp_path / "d.zip", folder_mode(a_notebook(), "")).read_bytes()
    records = read(a_folder(tmp_path / "a1", {"all/d.zip": download, "anna.ipynb": a_notebook()}))
    assert sorted(graded(records)) == ["anna"]
    assert "whole class" in rejected(records)["all"]


def test_attachments_have_their_hash_and_size(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    files = in_hand_in({"x.ipynb": a_notebook(), "d/data.csv": b"abc"})
    (one,) = graded(read(a_folder(tmp_path / "a1", files))).values()
    (attached,) = one.attachments
    assert (attached.name, attached.size_bytes) == ("d/data.csv", 3)
    assert attached.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_attachments_over_the_bounds_are_left_out_and_named(
    tmp_path: Path, a_notebook: Notebook, a_folder: Build, read: Read
) -> None:
    folder = a_folder(tmp_path / "a1", in_hand_in({"x.ipynb": a_notebook(), "b.txt": b"1", "huge.bin": b""}))
    os.truncate(folder / "Participant_1_assignsubmission_file" / "huge.bin", 2**40)
    (one,) = graded(read(folder)).values()
    assert [attached.name for attached in one.attachments] == ["b.txt"]
    assert "“huge.bin”" in one.remarks[0]


def test_a_hundred_hand_ins_are_read_in_bounded_time(
    tmp_path: Path, a_notebook: Notebook, a_zip: Build, read: Read
) -> None:
    notebook = a_notebook("x = 1\n" * 50_000)
    files = {f"Participant_{n}_assignsubmission_file/x.ipynb": notebook for n in range(100)}
    archive = a_zip(tmp_path / "a1.zip", files)
    assert len(read(archive)) == 100
    with bounded():
        assert len(read(archive)) == 100


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_notebook_is_taken_in_any_encoding_that_its_reader_knows(
    tmp_path: Path, a_folder: Build, read: Read, encoding: str
) -> None:
    text = '{"cells": [{"cell_type": "code", "source": "x = \'für\'"}], "nbformat": 4}'
    [one] = read(
        a_folder(tmp_path / "a1", {"Anna Meier_12_assignsubmission_file/x.ipynb": text.encode(encoding)})
    )
    assert isinstance(one, Submission), one
