"""The command that writes the page, with rooms that are only pretended."""

from __future__ import annotations

import pytest

from grader.validity import __main__ as command


@pytest.fixture
def run(root, pretending, monkeypatch):
    """Runs the command in the small course."""
    monkeypatch.chdir(root)
    (root / "docs").mkdir()
    executor = pretending()
    monkeypatch.setattr(command, "find_executor", lambda name: lambda jobs: executor)

    def call(*words: str) -> tuple[int, int]:
        before = len(executor.jobs)
        status = command.main(["--data", str(root), *words])
        return status, len(executor.jobs) - before

    return call


def test_the_page_is_written_and_typed_again_nothing_is_run(run, root):
    assert run("--repeats", "2", "--mutant-repeats", "1") == (0, 4)
    page = (root / "docs" / "validity.md").read_text("utf-8")
    assert "| solution and variants | 2 notebooks, 2 repeats |" in page
    assert "| mutants | 1 notebooks, 1 repeat |" in page
    assert run("--repeats", "2", "--mutant-repeats", "1") == (0, 0)


def test_kinds_can_be_left_out(run, root):
    assert run("--repeats", "1", "--mutant-repeats", "0", "--to", str(root / "page.md")) == (0, 2)
    assert "| mutants | 0 notebooks, 0 repeats |" in (root / "page.md").read_text("utf-8")


def test_without_real_data_one_sentence_says_what_to_name(run, root, capsys):
    rubric = root / "rubrics" / "a1.yaml"
    rubric.write_text(rubric.read_text("utf-8").replace("criteria:", "datasets: [mnist]\ncriteria:"), "utf-8")
    assert run() == (2, 0)
    assert "has no mnist: name the folder with the real data sets" in capsys.readouterr().err
