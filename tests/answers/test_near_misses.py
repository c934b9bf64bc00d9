"""Right answers with one false sentence beside them: none of them is met, however the sentence is put."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.answers.judging import Stand, judge
from grader.answers.questions import Question
from grader.answers.second_reading import judge_twice
from grader.checks.orders import order_described, sensible_order
from grader.evidence.record import Evidence
from grader.model import Outcome
from grader.notebook.prose import Passage

SBR, SRB, BSR = "shuffle-batch-repeat", "shuffle-repeat-batch", "batch-shuffle-repeat"
BRS, RSB, RBS = "batch-repeat-shuffle", "repeat-shuffle-batch", "repeat-batch-shuffle"
EXAMPLES, BATCHES = {SBR, SRB, RSB}, {BSR, BRS, RBS}  # what is shuffled
SEPARATE, MIXED = {SBR, SRB, BSR}, {BRS, RSB, RBS}  # the epochs in the shuffling
CUT, RUNNING_ON = {SBR, BSR, BRS}, {SRB, RSB, RBS}  # the batches at the end of an epoch
EVERY = EXAMPLES | BATCHES

RIGHT = {
    "The single examples are shuffled.": EXAMPLES,
    "Only the order of the batches is shuffled.": BATCHES,
    "Each example is seen once per epoch.": SEPARATE,
    "The epochs are mixed with each other.": MIXED,
    "A batch can contain examples of two epochs.": RUNNING_ON,
}
FALSE = {
    "The same images always end up in the same batch.": EXAMPLES,
    "The composition of the batches is decided once and for all.": EXAMPLES,
    "The inside of a batch keeps the order of the file.": EXAMPLES,
    "Die Batches sind in jeder Epoche die gleichen.": EXAMPLES,
    "Innerhalb eines Batches bleibt alles sortiert.": EXAMPLES,
    "The examples inside the batches get mixed too.": BATCHES,
    "Every batch is a random sample of the data.": BATCHES,
    "Each image can land in any batch.": BATCHES,
    "Jedes Bild kann in jedem Batch landen.": BATCHES,
    "shuffle also reorders what is inside.": BATCHES,
    "Images of different epochs get mixed.": SEPARATE,
    "An image may come three times before another comes once.": SEPARATE,
    "Manche Bilder kommen in einer Epoche gar nicht vor.": SEPARATE,
    "It is shuffled only once, so all epochs have the same order.": SEPARATE,
    "The second epoch is an exact copy of the first.": SEPARATE,
    "Gemischt wird aber nur ein einziges Mal.": SEPARATE,
    "Each epoch is complete before the next one starts.": MIXED,
    "Jedes Bild kommt pro Durchlauf genau einmal.": MIXED,
    "Nothing of the second pass comes before the first is over.": MIXED,
    "A batch can hold the end of one epoch and the start of the next.": CUT,
    "The rest of an epoch is filled up with images of the next.": CUT,
    "All batches have the same size.": CUT,
    "Es gibt keinen kleinen Batch zwischendurch.": CUT,
    "Every epoch closes with a batch that is not full.": RUNNING_ON,
    "Each batch belongs to exactly one epoch.": RUNNING_ON,
    "Am Ende jeder Runde bleibt ein Restbatch.": RUNNING_ON,
    "Other images have not been seen yet when one comes again.": SEPARATE,
    "There are no epoch borders any more.": SEPARATE,
    "The data is first repeated and then shuffled.": SEPARATE,
    "Batches of epoch 2 can appear in epoch 1.": SEPARATE,
    "It is not guaranteed that each example comes once before one comes twice.": SEPARATE,
    "Each example is seen once before any is seen twice.": MIXED,
    "The samples in a batch are different each time.": {BSR},
    "Shuffle mixes the examples with those of other batches.": BATCHES,
    "The elements come in random order.": BATCHES,
    "The batches do not stop at the end of an epoch.": CUT,
    "Only one batch overall is smaller.": CUT,
    "The batches always stop at the end of an epoch.": RUNNING_ON,
    "Each epoch has 4 full batches and one with 2.": RUNNING_ON,
    "The shuffling has no effect.": EVERY,
    "With an infinite repeat it never delivers anything.": EVERY,
    "Die Labels passen danach nicht mehr zu den Bildern.": EVERY,
    "repeat copies each image several times in a row.": EVERY,
    "The rest that does not fit into a batch is thrown away.": EVERY,
    "The network sees only one class per batch because shuffle groups by label.": EVERY,
    "The buffer size has no influence here.": EVERY,
}


@pytest.mark.parametrize("false", FALSE)
def test_an_order_told_rightly_and_falsely_is_not_met(
    false: str, questions: dict[str, Question], an_evidence: Callable[..., Evidence]
) -> None:
    for right, orders in RIGHT.items():
        for order in sorted(orders & FALSE[false]):
            for answer in (f"{right} {false}", f"{false} {right}", f"{right[:-1]}, and {false}"):
                evidence = an_evidence(f"## {order.replace('-', ' → ')}", answer)
                verdict = order_described(evidence, order=order, question=questions["orders"])
                assert verdict.outcome is not Outcome.MET, (order, answer)


@pytest.mark.parametrize(
    "false",
    [
        "The epochs get mixed with each other.",
        "It is shuffled only once, so all epochs are the same.",
        "An image can come twice before another one comes once.",
        "So we get more training data.",
        "All other orders raise an error.",
        "With repeat first every epoch would be complete.",
        "In batch, shuffle, repeat the batches are new in each epoch.",
        "Die Batches sind immer gleich.",
        "And maybe the batches are shuffled as well or so.",
    ],
)
def test_a_choice_with_a_reason_and_something_false_is_not_met(
    false: str, questions: dict[str, Question], an_evidence: Callable[..., Evidence]
) -> None:
    asked = questions["sensible"].asks
    right = "I would choose shuffle, batch, repeat, because the examples are mixed individually."
    for answer, is_met in ((right, True), (f"{right} {false}", False), (f"{false} {right}", False)):
        verdict = sensible_order(
            an_evidence(asked, answer),
            question=questions["sensible"],
            reasons=questions["orders"],
            right=(SBR, SRB),
        )
        assert (verdict.outcome is Outcome.MET) is is_met, answer


@pytest.mark.parametrize(
    "false",
    [
        "A division by zero also happens in the softmax.",
        "The weights are multiplied by the gradient in each step.",
        "This only happens with ReLU.",
        "With sigmoid the network would learn normally.",
        "After some epochs the neurons differ anyway.",
        "The same is true for logistic regression.",
        "The biases must be random as well.",
        "Any constant other than zero would be fine.",
        "Random values prevent overfitting.",
        "The network would be stuck in a local minimum.",
        "Therefore every neuron learns something different.",
        "Adam does not have this problem.",
        "Mit einer größeren Lernrate ginge es trotzdem.",
        "Das gilt nur für ReLU.",
    ],
)
def test_a_right_reason_beside_a_false_statement_is_not_right(
    false: str, questions: dict[str, Question]
) -> None:
    for right in (
        "All neurons of a layer get the same gradient, so they stay the same.",
        "Alle Neuronen bekommen den gleichen Gradienten und bleiben gleich.",
    ):
        assert _stand(questions["zeros"], right) is Stand.RIGHT
        for answer in (f"{right} {false}", f"{false} {right}", f"{right[:-1]}, and {false}"):
            assert _stand(questions["zeros"], answer) is not Stand.RIGHT, answer
            passage = Passage(cell=1, text=answer, answers_to=questions["zeros"].asks)
            assert judge_twice(questions["zeros"], [passage]).stand is not Stand.RIGHT, answer


def _stand(question: Question, answer: str) -> Stand:
    return judge(question, [Passage(cell=1, text=answer, answers_to=question.asks)]).stand
