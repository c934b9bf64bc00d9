from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.observed import Observed, ObservedTraining
from grader.notebook.records import Quantity, Readings, Series, Split
from grader.report.pictures.trainings import measured_curves, printed_curves


def a_series(cell=3, steps=(0, 10, 20), values=(0.2, 0.8, 0.9), **changes):
    fields = {
        "quantity": Quantity.ACCURACY,
        "split": Split.TEST,
        "cell": cell,
        "steps": steps,
        "values": values,
    }
    return Series(**{**fields, **changes})


def test_saved_and_our_own_log_of_a_cell_share_a_picture(an_evidence):
    evidence = an_evidence(
        saved=Readings(series=(a_series(),)), rerun=Readings(series=(a_series(values=(0.1, 0.7, 0.8)),))
    )
    (picture,) = printed_curves(evidence)
    assert picture.title == "Cell 3: the accuracy over its steps"
    assert picture.description == (
        "test accuracy, as saved: from 0.2 to 0.9 over 3 points; "
        "test accuracy, in our run: from 0.1 to 0.8 over 3 points."
    )


def test_values_without_steps_stand_in_the_order_printed(an_evidence):
    (picture,) = printed_curves(an_evidence(saved=Readings(series=(a_series(steps=(None,) * 3),))))
    assert picture.title == "Cell 3: the accuracies that it prints"
    assert "in the order printed" in picture.body


def test_a_last_value_without_a_step_is_not_part_of_the_curve(an_evidence):
    series = a_series(steps=(0, 10, None), values=(0.2, 0.8, 0.9))
    (picture,) = printed_curves(an_evidence(saved=Readings(series=(series,))))
    assert "from 0.2 to 0.8 over 2 points" in picture.description


def test_of_many_logs_the_longest_are_drawn_by_cell(an_evidence):
    series = [a_series(cell=n, steps=range(n + 2), values=[0.5] * (n + 2)) for n in range(1, 20)]
    pictures = list(printed_curves(an_evidence(saved=Readings(series=tuple(series)))))
    assert [picture.title.split(":")[0] for picture in pictures] == [f"Cell {n}" for n in range(14, 20)]


def test_what_was_measured_goes_from_before_training_to_its_end(an_evidence):
    training = MeasuredTraining(
        training=1, dataset="mnist", examples=5000, accuracy=0.93, before=0.1, during=((4, 0.3), (400, 0.92))
    )
    evidence = an_evidence(
        measured=Measured(trainings=(training,)),
        observed=Observed(trainings=(ObservedTraining(id=1, updates=400),)),
    )
    (picture,) = measured_curves(evidence)
    assert picture.title == "MNIST: measured accuracy during training"
    assert picture.description == "the training: from 0.1 to 0.93 over 3 points."


def test_the_best_of_many_trainings_is_marked_and_each_data_set_has_its_own_picture(an_evidence):
    trainings = [
        MeasuredTraining(training=n, dataset=name, examples=5000, accuracy=n / 10, before=0.1)
        for n, name in enumerate(["mnist", "mnist", "mnist", "fashion_mnist"], 1)
    ]
    seen = tuple(ObservedTraining(id=n, updates=100) for n in range(1, 5))
    evidence = an_evidence(measured=Measured(trainings=tuple(trainings)), observed=Observed(trainings=seen))
    mnist, fashion = measured_curves(evidence)
    assert mnist.description == "the best of 3 trainings: from 0.1 to 0.3 over 2 points."
    assert mnist.body.count("measured other") == 2
    assert fashion.title.startswith("Fashion-MNIST")


def test_without_logs_and_measurements_there_is_nothing(an_evidence):
    assert [*printed_curves(an_evidence()), *measured_curves(an_evidence())] == []
