"""The sample hand-ins and the reference solutions are what their README says: small, valid and invented."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

COURSE = Path(__file__).resolve().parents[1]
SAMPLES = COURSE / "submissions" / "a1"
REFERENCES = COURSE / "reference_solutions"

# A TA's own hand-ins may lie beside the samples; only these are ours.
SAMPLES_SHIPPED = {str(number) for number in range(101, 113)}

WITHOUT_NOTEBOOK = {"112"}
WITHOUT_OUTPUTS = {"104"}
WITH_SAVED_ERRORS = {"108"}
WITHOUT_EXECUTION_COUNTS = {"103", "104"}

MACHINE_PATH = re.compile(r"(?:/tmp/|/home/|/root\b|/work/|/Users/|/venv|\.venv|[A-Z]:\\\\Users)")
EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[A-Za-z]{2,}\b")


def folder_of(participant: str) -> Path:
    return SAMPLES / f"Participant_{participant}_assignsubmission_file"


SAMPLE_NOTEBOOKS = {
    participant: path
    for participant in sorted(SAMPLES_SHIPPED)
    for path in sorted(folder_of(participant).rglob("*.ipynb"))
}
LATER_SAMPLES = sorted(
    path
    for number in ("2", "3", "4")
    for path in (COURSE / "submissions").glob(f"a{number}/*_{number}0?_*/*.ipynb")
)
ALL_NOTEBOOKS = [*SAMPLE_NOTEBOOKS.values(), *LATER_SAMPLES, *sorted(REFERENCES.glob("*/solution.ipynb"))]


def notebook_id(path: Path) -> str:
    return path.parent.name.removesuffix("_assignsubmission_file")


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in load(path)["cells"] if cell["cell_type"] == "code"]


def text_of(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def code_of(path: Path) -> str:
    return "\n".join(text_of(cell["source"]) for cell in code_cells(path))


def outputs_of(path: Path) -> list[dict[str, Any]]:
    return [output for cell in code_cells(path) for output in cell["outputs"]]


def without_images(path: Path) -> str:
    """The notebook's text without embedded images, whose base64 may look like anything."""
    content = load(path)
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)
    return json.dumps(content, ensure_ascii=False)


def participant_of(path: Path) -> str:
    return next(participant for participant, sample in SAMPLE_NOTEBOOKS.items() if sample == path)


def test_every_sample_has_one_notebook_but_the_one_that_is_to_be_rejected() -> None:
    found = {
        participant: len(list(folder_of(participant).rglob("*.ipynb"))) for participant in SAMPLES_SHIPPED
    }
    assert found == {participant: int(participant not in WITHOUT_NOTEBOOK) for participant in SAMPLES_SHIPPED}
    assert all(any(folder_of(participant).iterdir()) for participant in WITHOUT_NOTEBOOK)


@pytest.mark.parametrize("path", ALL_NOTEBOOKS, ids=notebook_id)
def test_a_notebook_is_valid_and_small(path: Path) -> None:
    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert path.stat().st_size < 200_000


@pytest.mark.parametrize("path", ALL_NOTEBOOKS, ids=notebook_id)
def test_a_notebook_tells_nothing_about_the_machine_or_a_person(path: Path) -> None:
    text = without_images(path)
    assert MACHINE_PATH.findall(text) == []
    assert EMAIL.findall(text) == []


def test_assignments_2_to_4_have_samples_of_their_own() -> None:
    assert len(LATER_SAMPLES) == 11


@pytest.mark.parametrize("path", SAMPLE_NOTEBOOKS.values(), ids=notebook_id)
def test_outputs_are_saved_except_where_the_story_says_otherwise(path: Path) -> None:
    has_outputs = bool(outputs_of(path))
    assert has_outputs == (participant_of(path) not in WITHOUT_OUTPUTS)


@pytest.mark.parametrize("path", SAMPLE_NOTEBOOKS.values(), ids=notebook_id)
def test_only_the_hopeless_sample_shows_errors(path: Path) -> None:
    has_errors = any(output["output_type"] == "error" for output in outputs_of(path))
    assert has_errors == (participant_of(path) in WITH_SAVED_ERRORS)


@pytest.mark.parametrize("path", SAMPLE_NOTEBOOKS.values(), ids=notebook_id)
def test_execution_counts_are_missing_only_where_the_story_says_so(path: Path) -> None:
    counts = {cell["execution_count"] for cell in code_cells(path)}
    assert (counts == {None}) == (participant_of(path) in WITHOUT_EXECUTION_COUNTS)


def test_the_colab_sample_needs_colab_and_a_file_that_was_not_handed_in() -> None:
    path = SAMPLE_NOTEBOOKS["103"]
    code = code_of(path)
    for needed in ("drive.mount(", "os.chdir('/content/drive/My Drive", "files.upload()"):
        assert needed in code
    assert "%tensorflow_version 2.x" in code
    assert "from datasets import MNISTDataset" in code
    assert "colab" in load(path)["metadata"]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_sample_that_fails_again_uses_a_name_that_no_cell_sets() -> None:
    code = code_of(SAMPLE_NOTEBOOKS["105"])
    assert re.search(r"\bh_1 @ w_2", code)
    assert not re.search(r"\bh_1\s*=", code)


@pytest.mark.parametrize("participant", ["106", "108"])
def test_the_demo_and_the_hopeless_sample_draw_no_random_weights(participant: str) -> None:
    code = code_of(SAMPLE_NOTEBOOKS[participant])
    assert "tf.zeros([784, 10])" in code
    assert "random.uniform" not in code
    assert "random.normal" not in code


def test_the_keras_sample_never_touches_the_low_level_interface() -> None:
    code = code_of(SAMPLE_NOTEBOOKS["107"])
    assert ".fit(" in code
    assert "GradientTape" not in code
    assert "tf.Variable" not in code


def test_the_sample_without_activation_applies_none() -> None:
    assert not re.search(r"relu|tanh|sigmoid|elu|softplus|maximum", code_of(SAMPLE_NOTEBOOKS["111"]))


def test_the_old_sample_uses_what_keras_3_no_longer_has() -> None:
    code = code_of(SAMPLE_NOTEBOOKS["109"])
    assert "reset_states()" in code
    assert "Adam(lr=" in code


@pytest.mark.parametrize("path", sorted(REFERENCES.glob("*/solution.ipynb")), ids=notebook_id)
def test_a_reference_solution_was_run_from_top_to_bottom_without_errors(path: Path) -> None:
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not any(output["output_type"] == "error" for output in outputs_of(path))


def test_the_reference_for_assignment_1_reports_good_accuracies() -> None:
    path = REFERENCES / "a1" / "solution.ipynb"
    printed = "".join(
        text_of(output["text"]) for output in outputs_of(path) if output["output_type"] == "stream"
    )
    mnist = re.search(r"^Test accuracy: ([\d.]+)$", printed, re.MULTILINE)
    fashion = re.search(r"^Fashion-MNIST test accuracy: ([\d.]+)$", printed, re.MULTILINE)
    assert mnist is not None
    assert float(mnist[1]) > 0.93
    assert fashion is not None
    assert float(fashion[1]) > 0.78
    assert code_of(path).count("STEPS =") == 1
