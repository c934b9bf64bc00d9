import pytest

from grader.checks.accuracy import accuracy_at_least
from grader.checks.accuracy_shown import Line
from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.observed import ForwardOp, Observed, ObservedTraining
from grader.model import DatasetOrigin, DatasetUse, Reason, Source, Visibility, met
from grader.notebook.records import Number, Quantity, Readings, Split
from grader.report.pictures.accuracy import Row, accuracies_of, draw_accuracies


def readings(*values, split=Split.TEST):
    return Readings(
        numbers=tuple(Number(quantity=Quantity.ACCURACY, split=split, value=v, cell=1) for v in values)
    )


def measured(*values, dataset="mnist"):
    return Measured(
        trainings=tuple(
            MeasuredTraining(
                training=n, dataset=dataset, examples=5000, accuracy=value, shifted=value, noised=value
            )
            for n, value in enumerate(values)
        )
    )


def a_row(**changes):
    return Row(**{"label": "Measured", "values": (0.9,), "style": "measured", "counts": 0.9, **changes})


def only(pictures):
    (picture,) = pictures
    return picture


def test_reported_run_again_and_measured_stand_side_by_side(an_evidence):
    evidence = an_evidence(saved=readings(0.95, 0.91), rerun=readings(0.93), measured=measured(0.92, 0.5))
    assert only(accuracies_of(evidence)).description == (
        "In the outputs you saved: 0.950, one of 2. In the outputs of our run: 0.930. "
        "Measured by us: MNIST: 0.920, one of 2."
    )


def test_what_was_asked_for_is_drawn_where_the_reasons_tell_it(an_evidence, a_criterion):
    reason = Reason(text="Measured: 0.5.", numbers=(0.5, 0.8), source=Source.MEASURED)
    picture = only(accuracies_of(an_evidence(measured=measured(0.9, 0.5)), a_criterion(met(reason))))
    assert "0.500, one of 2; asked for: at least 0.80" in picture.description
    assert "asked for: 0.80" in picture.body


def test_the_check_of_accuracy_tells_its_numbers_as_the_picture_reads_them(an_evidence, a_run, a_criterion):
    forward = (ForwardOp(op="MatMul", weight=0), ForwardOp(op="Relu"), ForwardOp(op="MatMul", weight=1))
    seen = ObservedTraining(id=0, updates=400, forward=forward, shapes=((784, 9), (9, 10)))
    evidence = an_evidence(
        run=a_run(),
        rerun=Readings(),
        observed=Observed(is_trusted=True, trainings=(seen,)),
        measured=measured(0.9),
    )
    verdict = accuracy_at_least(evidence, thresholds={"mnist": Line(full=0.8, partly=0.5)})
    picture = only(accuracies_of(evidence, a_criterion(verdict)))
    assert "MNIST: 0.900; asked for: at least 0.80." in picture.description


@pytest.mark.parametrize(
    "reason",
    [
        Reason(text="Measured: 0.9.", numbers=(0.9,), source=Source.MEASURED),
        Reason(text="Measured: 0.9.", numbers=(0.7, 0.8), source=Source.MEASURED),
        Reason(text="Read: 0.9.", numbers=(0.9, 0.8), source=Source.SOURCE),
    ],
)
def test_nothing_is_drawn_that_no_reason_tells(an_evidence, a_criterion, reason):
    picture = only(accuracies_of(an_evidence(measured=measured(0.9)), a_criterion(met(reason))))
    assert "asked" not in picture.description + picture.body


def test_what_a_hidden_criterion_asks_for_is_never_drawn(an_evidence, a_criterion):
    reason = Reason(text="Measured: 0.9.", numbers=(0.9, 0.8), source=Source.MEASURED)
    hidden = a_criterion(met(reason), visibility=Visibility.STAFF)
    picture = only(accuracies_of(an_evidence(measured=measured(0.9)), hidden))
    assert "asked" not in picture.description + picture.body


def test_a_stand_in_is_called_one(an_evidence, a_run):
    use = DatasetUse(name="mnist", origin=DatasetOrigin.STAND_IN, sha256="b" * 64)
    evidence = an_evidence(run=a_run(datasets=(use,)), measured=measured(0.9))
    assert "MNIST (stand-in): 0.900" in only(accuracies_of(evidence)).description


def test_accuracies_of_which_data_is_not_told_say_so_and_yield_to_those_on_test_data(an_evidence):
    unknown, test = readings(0.99, split=Split.UNKNOWN), readings(0.9)
    both = Readings(numbers=(*unknown.numbers, *test.numbers))
    assert "data not named): 0.990" in only(accuracies_of(an_evidence(saved=unknown))).description
    assert "you saved: 0.900." in only(accuracies_of(an_evidence(saved=both))).description


def test_repeats_with_other_seeds_are_dots_of_the_same_row(an_evidence):
    evidence = an_evidence(measured=measured(0.8), repeats=(measured(0.82), measured(0.79)))
    assert "0.820, one of 3" in only(accuracies_of(evidence)).description


def test_without_any_accuracy_there_is_no_picture(an_evidence):
    assert list(accuracies_of(an_evidence())) == []
    assert draw_accuracies([]) is None


def test_the_axis_begins_where_the_values_do_and_never_leaves_one_out():
    assert ">0.8</text>" in draw_accuracies([a_row()]).body
    assert ">0</text>" in draw_accuracies([a_row(values=(0.9, 0.1))]).body
    assert ">0.5</text>" in draw_accuracies([a_row(asked=0.7)]).body


def test_a_thousand_values_are_few_dots():
    picture = draw_accuracies([a_row(values=[n / 1000 for n in range(1000)], counts=0.999)])
    assert picture.body.count("<circle") <= 41
