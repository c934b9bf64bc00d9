from grader.evidence.collect import collector_sha256
from grader.report.tracing import trace


def test_everything_that_a_verdict_rests_on_has_a_fingerprint(full):
    found = {what: (name, fingerprint) for what, name, fingerprint in trace(full.grade, full.evidence)}
    assert found["Notebook"] == ("my notebook.ipynb", full.evidence.submission.notebook_sha256)
    assert found["Rubric"] == ("a1", full.grade.rubric_sha256)
    assert found["Our run"] == ("seed 1234", full.evidence.run.key)
    assert found["Data"] == ("MNIST, stand-in", "b" * 64)
    assert found["What read and measured it"][1] == collector_sha256()


def test_without_a_run_none_is_named(a_grade, an_evidence):
    assert [what for what, _, _ in trace(a_grade(), an_evidence())] == [
        *("Notebook", "Rubric", "What read and measured it"),
    ]
