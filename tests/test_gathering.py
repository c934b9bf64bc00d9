"""What one hand-in's runs leave behind does not keep the others from being graded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader import gathering
from grader.evidence.measured import Measured
from grader.evidence.record import Evidence
from grader.model import Limits, Participant, Run, RunStatus, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Notebook

SHA = "0" * 64


def an_evidence(name: str) -> Evidence:
    submission = Submission(
        id=name,
        assignment="a1",
        participant=Participant(id=name),
        folder=Path(name),
        notebook="a1.ipynb",
        notebook_sha256=SHA,
    )
    notebook = Notebook(cells=())
    return Evidence(submission=submission, notebook=notebook, saved=read_outputs(notebook))


class Runs:
    """Runs of which nothing can be read where they are of the hand-in `odd`."""

    def load_facts(self, key: str) -> list[dict[str, Any]]:
        if key.startswith("odd"):
            raise ArithmeticError("a fault of ours")
        return []

    def load_executed(self, key: str) -> None:
        return None


def test_a_fault_with_another_seed_leaves_the_hand_in_as_it_was_and_the_others_alone(monkeypatch, caplog):
    kept: list[str] = []
    store = SimpleNamespace(key=lambda one, _: one.id, save=lambda key, _: kept.append(key))
    desk = SimpleNamespace(runs=Runs(), executor=None, progress=None, evidence=store)
    data = SimpleNamespace(
        keys={}, run_settings="", job=lambda one, _, repeat: SimpleNamespace(key=f"{one.id}-{repeat}")
    )

    def finished(jobs: list[Any], *_: Any) -> Any:
        run = Run(key=SHA, status=RunStatus.COMPLETED, seed=1, limits=Limits())
        return SimpleNamespace(executed=len(jobs), best=lambda job: run.model_copy(update={"key": job.key}))

    monkeypatch.setattr(gathering, "asks_for_more_seeds", lambda found, rubric: True)
    monkeypatch.setattr(gathering, "run_jobs", finished)
    told, executed = gathering._with_repeats([an_evidence("odd"), an_evidence("even")], None, data, desk)
    assert [one.repeats for one in told] == [(), (Measured(), Measured())]
    assert kept == ["even"]
    assert executed == 4
    assert "a fault of the grader" in caplog.text


def test_a_store_that_cannot_be_read_is_everybodys_concern():
    class Broken(Runs):
        def load_facts(self, key: str) -> list[dict[str, Any]]:
            raise gathering.GraderError("The store cannot be read.")

    run = Run(key=SHA, status=RunStatus.COMPLETED, seed=1, limits=Limits())
    with pytest.raises(gathering.GraderError):
        gathering._with_runs(an_evidence("one"), [run], SimpleNamespace(keys={}), Broken())
