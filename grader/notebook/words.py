"""The words that give numbers in an output their meaning: quantities, splits, steps, settings."""

from __future__ import annotations

import re
from typing import NamedTuple

from grader.notebook.records import Quantity, Split


def words(text: str) -> frozenset[str]:
    """The words of `text` as a set."""
    return frozenset(text.split())


_ACCURACY = words(
    "acc accs accu accuracy accuracies genauigkeit genauigkeiten acuracy accurancy accurasy accuarcy "
    "accurary accurcy accuray testgenauigkeit trainingsgenauigkeit validierungsgenauigkeit"
)
_LOSS = words("loss losses cost xent xentropy crossentropy verlust nll testloss")
_ERROR_RATE = words("errorrate fehlerrate fehlerquote")
_SPLITS = {
    **dict.fromkeys(
        words("test tst testing testset testdata testdaten testdatensatz testgenauigkeit unseen holdout"),
        Split.TEST,
    ),
    **dict.fromkeys(
        words("val valid validation dev validierung validierungsdaten validierungsgenauigkeit"),
        Split.VALIDATION,
    ),
    **dict.fromkeys(
        words("train training trn tr trainset trainingset traindata trainingsdaten trainingsgenauigkeit"),
        Split.TRAIN,
    ),
}
_GLUED = re.compile(r"^(train|training|test|tst|val|valid|validation|tr)(acc|accs|accuracy|loss|losses)$")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|_")

STEP_WORDS = words(
    "epoch epochs epoche epochen step steps schritt schritte iteration iterations iter it batch ep "
    "global_step"
)
"""Words after (or before) which a whole number counts steps."""

CONNECTING = words(
    "is was are of the on in at for over reached achieved equals a an by our my this these model network net "
    "mlp set data dataset datasets images samples examples final finally total overall mean average avg best "
    "highest current currently score value after before approx approximately about around ca roughly ist "
    "beträgt liegt bei auf der die den das dem mnist fashion fashion_mnist numpy np tf tensor array float32 "
    "float64 rate percentage percent prozent pct result results during digit_classifier classifier"
)
"""Words that may stand between a quantity and its number without a colon."""

SETTINGS = words(
    "lr learning rate_of learning_rate learningrate alpha eta dropout momentum decay beta lambda size units "
    "width hidden neurons nodes layers batch_size hidden_size n_hidden epsilon eps std stddev seed time "
    "seconds duration elapsed shape temperature l2 l1 regularization patience min_delta"
)
"""Words after which a number is a setting, not a result."""

NOT_A_RESULT = words(
    "target goal desired required threshold expected chance guess guessing baseline possible want should "
    "least improvement improved improves improve increase increased increases decreased decrease decreases "
    "difference diff gap gain drop dropped delta change changed variance deviation class classes classwise "
    "digit label per top topk top5 top3 balanced symbolic aim human interval margin stop until wanted "
    "weighted macro lower upper bound"
)
"""Words near a quantity that say: this is no accuracy of the model over a whole part of the data."""


class Label(NamedTuple):
    """A quantity named in a text. `split` is UNKNOWN unless the word itself tells (`val_accuracy`)."""

    quantity: Quantity
    split: Split = Split.UNKNOWN
    is_error_rate: bool = False
    is_percent: bool = False
    is_result: bool = True


def split_of(word: str) -> Split | None:
    """The part of the data that a word speaks of, None when it speaks of none."""
    return _SPLITS.get(word.lower())


def word_parts(word: str) -> list[str]:
    """The lower-case words in an identifier: `testAcc_final` gives test, acc, final."""
    parts = [part.lower() for part in _CAMEL.split(word) if part]
    return [piece for part in parts for piece in _unglued(part)]


def _unglued(part: str) -> tuple[str, ...]:
    found = _GLUED.match(part)
    return found.groups() if found else (part,)


def label_of(word: str) -> Label | None:
    """What a word or identifier names, None when it names no quantity (`val_accuracy`, `TestAcc`, `loss`)."""
    if len(word) > 60:
        return None
    parts = word_parts(word)
    if any(part in _ERROR_RATE for part in parts) or "error_rate" in word.lower():
        quantity, is_error_rate = Quantity.ACCURACY, True
    elif any(part in _ACCURACY for part in parts):
        quantity, is_error_rate = Quantity.ACCURACY, False
    elif any(part in _LOSS for part in parts) or "cross_entropy" in word.lower():
        quantity, is_error_rate = Quantity.LOSS, False
    else:
        return None
    splits = {found for part in parts if (found := split_of(part)) is not None}
    return Label(
        quantity=quantity,
        split=splits.pop() if len(splits) == 1 else Split.UNKNOWN,
        is_error_rate=is_error_rate,
        is_result=not any(part in NOT_A_RESULT for part in parts),
    )
