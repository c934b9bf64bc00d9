"""Rubrics: what is right is read exactly, what is wrong is told with line and mend, all at once."""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from grader.checks import registry
from grader.checks.registry import Check
from grader.errors import RubricError, UsageError
from grader.evidence.record import Evidence
from grader.model import Limits, OnRerunFailure, Reason, Scale, Source, Verdict, Visibility, met
from grader.rubric import Rubric, read_rubric, with_limits

DATASETS = ("mnist", "fashion_mnist")
REPOSITORY = Path(__file__).parents[1]


class Threshold(BaseModel):
    model_config = ConfigDict(extra="forbid")

    full: float
    partly: float = 0.0


@pytest.fixture(scope="module")
def checks() -> Mapping[str, Check]:
    """Checks that only these tests know: the registry is put back before the first test runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_declared", {})

        @registry.check("layers")
        def layers(evidence: Evidence, *, at_least: int = 1) -> Verdict:
            return met(Reason(text="yes"))

        @registry.check("accuracy")
        def accuracy(evidence: Evidence, *, thresholds: dict[str, Threshold], band: float = 0.01) -> Verdict:
            return met(Reason(text="yes"))

        return dict(registry._declared)


GOOD = """\
schema: 1
assignment: a1
title: First steps
edition: 2026
scale: points
datasets: [mnist]
criteria:
  - id: layers
    title: There is a hidden layer.
    points: 0.1
    check: layers
    with: {at_least: 2}
  - id: accuracy
    title: It is accurate.
    points: 2
    check: accuracy
    accepts: [measured, saved]
    visibility: staff
    bonus: true
    with:
      thresholds:
        mnist: {full: 0.8, partly: 0.5}
    on_rerun_failure: partly
"""


@pytest.fixture
def rubric_file(tmp_path: Path) -> Path:
    return tmp_path / "a1.yaml"


def read(path: Path, checks: Mapping[str, Check], text: str = GOOD) -> Rubric:
    path.write_text(text, encoding="utf-8")
    return read_rubric(path, checks=checks, datasets=DATASETS)


def complaints(path: Path, checks: Mapping[str, Check], text: str) -> list[str]:
    with pytest.raises(RubricError) as caught:
        read(path, checks, text)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(str(path)) for line in lines)
    return [line.removeprefix(str(path)).lstrip(", ") for line in lines]


def test_a_good_rubric_is_read_exactly(rubric_file: Path, checks: Mapping[str, Check]) -> None:
    rubric = read(rubric_file, checks)
    layers, accuracy = rubric.criteria
    assert (rubric.assignment, rubric.edition, rubric.scale) == ("a1", 2026, Scale.POINTS)
    assert layers.points == Decimal("0.1")
    assert (layers.check.name, layers.parameters.model_dump()) == ("layers", {"at_least": 2})
    assert layers.accepts == tuple(Source)
    assert layers.visibility is Visibility.PUBLIC
    assert layers.on_rerun_failure is OnRerunFailure.REVIEW
    assert accuracy.accepts == (Source.SAVED, Source.MEASURED)
    assert accuracy.is_bonus
    assert accuracy.visibility is Visibility.STAFF
    assert accuracy.on_rerun_failure is OnRerunFailure.PARTLY
    assert accuracy.parameters.model_dump()["band"] == 0.01
    assert rubric.max_points == Decimal("0.1")
    assert rubric.points_by_criterion == {"layers": Decimal("0.1"), "accuracy": Decimal(2)}
    assert rubric.limits == Limits()


def test_limits_given_by_name_come_before_the_rubrics(rubric_file: Path, checks: Mapping[str, Check]) -> None:
    rubric = read(rubric_file, checks, GOOD + "limits: {wall_seconds: 12.5, processes: 9}\n")
    given = with_limits(rubric, ["memory_mib=3", "cpu_seconds = 7.5", "processes=10"])
    assert given.limits == Limits(wall_seconds=12.5, memory_bytes=3 * 1024**2, cpu_seconds=7.5, processes=10)
    assert with_limits(rubric, []) == rubric


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("memory=5", "there is no limit 'memory': did you mean 'memory_"),
        ("memory_mib", "--limit memory_mib=: "),
        ("memory_mib=many", "write memory_mib=NUMBER"),
        ("open_files=3", "greater than or equal to 256"),
    ],
)
def test_a_wrong_limit_is_refused(
    rubric_file: Path, checks: Mapping[str, Check], given: str, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        with_limits(read(rubric_file, checks, GOOD), [given])


def test_limits_may_be_given_in_mebibytes(rubric_file: Path, checks: Mapping[str, Check]) -> None:
    text = GOOD + "limits: {wall_seconds: 12.5, memory_mib: 2048, disk_bytes: 1000, processes: 9}\n"
    assert read(rubric_file, checks, text).limits == Limits(
        wall_seconds=12.5, memory_bytes=2048 * 1024**2, disk_bytes=1000, processes=9
    )


def test_the_hash_ignores_comments_order_of_keys_and_trailing_zeros(
    rubric_file: Path, checks: Mapping[str, Check]
) -> None:
    same = "# a comment\n" + GOOD.replace("points: 0.1\n    check: layers", "check: layers\n    points: 0.10")
    assert read(rubric_file, checks, same).sha256 == read(rubric_file, checks).sha256


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("at_least: 2", "at_least: 3"),
        ("points: 0.1", "points: 0.2"),
        ("full: 0.8", "full: 0.81"),
        ("There is a", "There is one"),
        ("edition: 2026", "edition: 2027"),
        ("[measured, saved]", "[measured]"),
    ],
)
def test_the_hash_changes_with_what_the_rubric_says(
    rubric_file: Path, checks: Mapping[str, Check], old: str, new: str
) -> None:
    assert read(rubric_file, checks, GOOD.replace(old, new)).sha256 != read(rubric_file, checks).sha256


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: First", "titel: First", "line 3: unknown key `titel`: did you mean 'title'?"),
        ("title: First steps\n", "", "line 1: `title` is missing"),
        ("edition: 2026", "edition: soon", 'line 4: `edition`: should be a valid integer, not "soon"'),
        ("edition: 2026", "edition: 2026.0", "line 4: `edition`: should be a valid integer, not 2026.0"),
        ("scale: points", "scale: point", "did you mean 'points'?"),
        ("[mnist]", "[mnits]", "line 6: there is no data set 'mnits': did you mean 'mnist'?"),
        ("check: layers", "check: layer", "line 11: there is no check 'layer': did you mean 'layers'?"),
        ("points: 0.1", "points: 0", "line 10: `points`: should be greater than 0, not 0"),
        ("points: 0.1", "points: -1", "line 10: `points`: should be greater than 0, not -1"),
        ("points: 0.1", "points: half", "line 10: `points`: should be a valid decimal"),
        ("points: 0.1", "points: true", "line 10: `points`: "),
        ("points: 0.1", "points: 0.125", "line 10: `points`: should have no more than 2 decimal places"),
        ("points: 0.1", "points: 0.10000000000000001", "has more than 15 digits"),
        ("at_least: 2", "atleast: 2", "line 12: unknown key `atleast` (with: of the check 'layers')"),
        ("at_least: 2", "atleast: 2", "did you mean 'at_least'?"),
        (
            "at_least: 2",
            "at_least: two",
            "line 12: `at_least` (with: of the check 'layers'): should be a valid",
        ),
        ("at_least: 2", 'at_least: "2"', "line 12: `at_least`"),
        ("at_least: 2", "at_least: true", "line 12: `at_least`"),
        ("full: 0.8,", "fully: 0.8,", "did you mean 'full'?"),
        ("full: 0.8,", "", "line 22: `full` (with: of the check 'accuracy') is missing"),
        (
            "id: accuracy",
            "id: layers",
            "line 13: the id 'layers' is already taken by the criterion in line 8",
        ),
        ("id: accuracy", "id: Accuracy 1", "line 13: `id`: should be lower-case letters"),
        ("assignment: a1", "assignment: a2", "line 2: the assignment 'a2' does not fit the file name"),
        ("schema: 1", "schema: 2", "line 1: this rubric has schema 2, this program reads 1: update"),
        ("[measured, saved]", "[measured, savd]", "line 17: item 2 of `accepts`"),
        ("[measured, saved]", "[measured, savd]", "did you mean 'saved'?"),
        ("[measured, saved]", "[]", "line 17: `accepts`: should have at least 1 item"),
        ("visibility: staff", "visibility: stuff", "did you mean 'staff'?"),
        ("on_rerun_failure: partly", "on_rerun_failure: party", "did you mean 'partly'?"),
        ("bonus: true", "bonus: yes", 'line 19: `bonus`: should be a valid boolean, not "yes"'),
        (
            "edition: 2026",
            "edition: 2026\nedition: 2027",
            "line 5: `edition` stands here twice (first in line 4)",
        ),
        ("scale: points", "scale: pass_fail", "line 5: `scale: pass_fail` needs `pass_points`"),
        ("scale: points", "scale: points\npass_points: 1", "line 6: `pass_points` belongs to"),
        ("scale: points", "scale: pass_fail\npass_points: 1", "line 6: nobody can pass: 1 of 0.1 points"),
        ("scale: points", "scale: points\nlimits: {memory_mb: 1}", "did you mean 'memory_mib'?"),
        (
            "scale: points",
            "scale: points\nlimits: {disk_mib: 1, disk_bytes: 1}",
            "line 6: `disk_mib` says again",
        ),
        ("points: 0.1", "points: 0.1\n    bonus: true", "line 7: every criterion is a bonus"),
        ("title: First", "title: &a First", "line 3: anchors (&) and aliases (*) are not used"),
        ("title: First steps", "title: *a", "line 3: anchors (&) and aliases (*) are not used"),
        ("title: First", "title: !!python/name:os.system First", "line 3: tags (!) are not used"),
        ("datasets: [mnist]", "? [mnist]\n: x", "a key must be one word"),
        ("schema: 1", "schema: 1\n  x: [", "not valid YAML"),
        ("title: First", "title: \x07First", "not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_mend(
    rubric_file: Path, checks: Mapping[str, Check], old: str, new: str, told: str
) -> None:
    assert GOOD.count(old) >= 1
    lines = complaints(rubric_file, checks, GOOD.replace(old, new, 1))
    assert any(told in line for line in lines), lines


def test_without_libyaml_one_sentence_tells_the_mend(
    rubric_file: Path, checks: Mapping[str, Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yaml.__with_libyaml__", False)
    [line] = complaints(rubric_file, checks, GOOD)
    assert "pip install --force-reinstall --only-binary :all: pyyaml" in line


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_their_lines(
    rubric_file: Path, checks: Mapping[str, Check]
) -> None:
    text = GOOD.replace("title: First", "titel: First").replace("at_least: 2", "at_least: x")
    text = text.replace("points: 2", "points: -2").replace("check: accuracy", "check: acuracy")
    numbers = [line.split(":")[0] for line in complaints(rubric_file, checks, text)]
    assert numbers == ["line 1", "line 3", "line 12", "line 15", "line 16"]


@pytest.mark.parametrize(
    "criteria", ["criteria: []\n", "criteria:\n", "criteria: 3\n", "", "criteria: [1, [2]]\n"]
)
def test_a_rubric_without_criteria_is_none(
    rubric_file: Path, checks: Mapping[str, Check], criteria: str
) -> None:
    text = GOOD[: GOOD.index("criteria:")] + criteria
    assert complaints(rubric_file, checks, text)


@pytest.mark.parametrize("text", ["", "- a\n", "7\n", "# nothing\n", "--- \n...\n", "null"])
def test_a_file_that_is_no_mapping_is_told_so(
    rubric_file: Path, checks: Mapping[str, Check], text: str
) -> None:
    assert "key: value" in complaints(rubric_file, checks, text)[0]


def test_a_second_document_is_refused(rubric_file: Path, checks: Mapping[str, Check]) -> None:
    assert "remove this second one" in complaints(rubric_file, checks, GOOD + "---\n" + GOOD)[0]


def test_an_alias_bomb_is_refused_without_unfolding_it(
    rubric_file: Path, checks: Mapping[str, Check]
) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    assert any("anchors" in line for line in complaints(rubric_file, checks, bomb))


def test_deep_nesting_and_size_are_bounded(rubric_file: Path, checks: Mapping[str, Check]) -> None:
    assert "nested too deeply" in complaints(rubric_file, checks, "a: " + "[" * 5000)[0]
    assert "larger than 256 KiB" in complaints(rubric_file, checks, GOOD + "#" * 300_000)[0]


def test_a_file_that_is_not_utf8_or_not_there_is_told_so(
    rubric_file: Path, checks: Mapping[str, Check]
) -> None:
    with pytest.raises(RubricError, match=r"cannot be read \(No such file"):
        read_rubric(rubric_file, checks=checks, datasets=DATASETS)
    rubric_file.write_bytes(GOOD.encode().replace(b"First", b"F\xfcrst"))
    with pytest.raises(RubricError, match="line 3: this is not UTF-8"):
        read_rubric(rubric_file, checks=checks, datasets=DATASETS)


def test_a_byte_order_mark_is_no_part_of_the_first_key(
    rubric_file: Path, checks: Mapping[str, Check]
) -> None:
    assert read(rubric_file, checks, "\ufeff" + GOOD).assignment == "a1"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_to_a_rubric_is_a_rubric_error_or_a_rubric(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, checks: Mapping[str, Check]
) -> None:
    lines = GOOD.splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = data.draw(
        st.one_of(st.text(max_size=20), st.sampled_from(["  - [", "{}", "? x", "'", "!!set", "1: 2", "~"]))
    )
    path = tmp_path_factory.mktemp("rubric") / "a1.yaml"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    with suppress(RubricError):
        assert read_rubric(path, checks=checks, datasets=DATASETS).criteria


def test_the_rubric_of_assignment_1_is_right_and_makes_ten_points() -> None:
    rubric = read_rubric(REPOSITORY / "rubrics" / "a1.yaml", datasets=DATASETS)
    assert rubric.max_points == 10
    assert sum(criterion.points for criterion in rubric.criteria if criterion.is_bonus) == Decimal("1.5")
    assert all(criterion.title.endswith((".", "?")) for criterion in rubric.criteria)


def test_checks_declared_in_these_tests_stay_in_these_tests(checks: Mapping[str, Check]) -> None:
    assert set(checks).isdisjoint(registry._declared)
