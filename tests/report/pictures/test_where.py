from grader.checks.registry import all_checks
from grader.report.pictures.where import OF_CHECKS, OF_EVIDENCE


def test_every_check_that_has_a_picture_exists():
    assert OF_CHECKS.keys() <= all_checks().keys()


def test_every_function_copes_with_empty_evidence(an_evidence, a_criterion):
    assert [picture for draw in OF_EVIDENCE for picture in draw(an_evidence())] == []
    assert [picture for draw in OF_CHECKS.values() for picture in draw(an_evidence(), a_criterion())] == []
