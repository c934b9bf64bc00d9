"""How people say what is wrong with a training, in English and German: patterns by cause and by symptom.

`docs/answers.md` tells how a pattern is written. Whether something said is so is told by a script's causes
and by what was measured, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from grader.fixes.records import Symptom


class Saying(NamedTuple):
    """Ways to say one thing, in a clause or `across` the clauses of a sentence.

    Those in `clear` leave no room: only they can be called wrong.
    """

    said: tuple[str, ...]
    clear: tuple[str, ...] = ()
    across: tuple[str, ...] = ()


SYMPTOMS: Mapping[Symptom, Saying] = {
    Symptom.LOSS_NOT_FINITE: Saying(
        (
            "nan*|naan",
            "loss .. inf|infinite|infinity|unendlich|overflow*",
            "not a number",
            "<gradient>|<weight> .. inf|infinite|infinity|unendlich",
        ),
        ("loss .. nan|nans|inf|infinity",),
    ),
    Symptom.GRADIENTS_VANISH: Saying(
        (
            "<gradient> .. vanish*|disappear*|verschwind*|shrink*|schrumpf*|die|dying|fade*",
            "<gradient> .. <zero>|tiny|negligible|verschwindend",
            "vanish*|disappearing <gradient>",
            "<gradient> .. <too>|almost|near|nearly|fast <small>|<zero>",
            "small|smaller|tiny <gradient>",
            "verschwindend* <gradient>",
            "no|keine|kein|hardly|kaum|zero <gradient>",
            "<gradient> .. not|nicht|never|nie .. flow*|reach*|arriv*|ankomm*|an|backprop*|pass*|propagat*",
            "vanishing",
            "verschwind* .. <gradient>",
            "<gradient> .. kleiner|smaller",
            "kleine* <gradient>",
            "<gradient> .. e-7|e-8|e-10",
            "<gradient> .. lost|verloren",
            "vanishing-gradient*",
        ),
        (
            "<gradient> .. vanish*|verschwind*|disappear*",
            "vanish*|disappearing <gradient>",
            "verschwindend* <gradient>",
            "verschwind* .. <gradient>",
            "vanishing-gradient*",
        ),
    ),
    Symptom.GRADIENTS_EXPLODE: Saying(
        (
            "<gradient> .. explod*|explos*|explodier*|huge|enormous|blow*|blew|riesig*|inf|infinite",
            "<gradient> .. <too> <large>",
            "explod*|explodierend* <gradient>",
            "exploding|explodierend* .. <gradient>",
            "large|huge|grosse* <gradient>",
            "exploding",
            "explosion .. <gradient>",
            "<gradient> .. gross|large|<large>",
        ),
        (
            "<gradient> .. explod*|explos*|explodier*",
            "explod*|explodierend* <gradient>",
            "explosion .. <gradient>",
        ),
    ),
    Symptom.UNITS_DEAD: Saying(
        (
            "dead|dying|tot|tote*|gestorben*|sterbend*|died <unit>",
            "<unit> .. dead|die|dying|died|tot|sterb*",
            "<unit> .. <zero>|inactive|inaktiv & !<gradient> & !mean",
            "<unit> .. never|not|nie|nicht .. fire|activ*|aktiv*|feuer*|on",
            "everything|alles .. <zero>",
            "<zero> .. <unit> & !<gradient> & !mean & !initiali*",
            "outputs .. all|alle|only|nur <zero>",
        ),
        (
            "dead|dying|tote* <unit>",
            "<unit> .. dead|dying|tot & !not",
            "all|alle <unit> .. <zero> & !<gradient>",
        ),
    ),
    Symptom.UNITS_SATURATED: Saying(
        (
            "<unit>|<squashing> .. saturat*|saettig*|gesaettigt*",
            "saturat*|saettig*|gesaettigt* .. <unit>",
            "saturat* .. <squashing>",
            "saturated|saturation",
            "saettigung*",
        ),
        ("<unit>|<squashing> .. saturat*|gesaettigt*", "saturated <unit>|<squashing>"),
    ),
    Symptom.INPUTS_SWAMPED: Saying(
        (
            "<input> .. noise|noisy|verrausch*|rausch* & !loss & !<gradient>",
            "noise|noisy|rauschen|verrauscht* .. <input> & !loss & !<gradient>",
            "<too> much|viel|strong|many|<large> noise|rauschen",
            "noise|rauschen .. <too> <large>|much|viel",
            "only|just|nur|pure|reine* noise|rauschen",
            "noise|rauschen .. add*|hinzu*|addier*|dominat*|drown*",
            "<input> .. not|cannot|kaum|nicht|hardly|barely|no .. recogni*|erkenn*|visible|see|sichtbar",
            "<input> .. unrecogni*|unkenntlich|unlesbar|unreadable",
            "noise|rauschen .. standard|stddev|std",
            "<input> .. drown*|swamp*|buried|ertrink*|untergeh*|overwhelm*",
            "noise .. cause*|reason|problem",
            "add* .. noise",
            "random noise",
            "signal .. noise",
        ),
        (
            "<input> .. noise|noisy|verrausch* & !loss & !<gradient>",
            "noisy|verrauschte* <input>",
            "noise|rauschen .. add* .. <input>",
        ),
    ),
    Symptom.OUTPUTS_SOFTMAXED: Saying(
        (
            "softmax* .. <twice>",
            "<twice> .. softmax*",
            "softmax* & logits",
            "two|zwei softmax*",
            "softmaxed",
            "softmax* .. model|network|output|netz* .. loss",
            "softmax* .. on top .. softmax*",
            "loss .. softmax* .. itself|internally|intern|selbst|inside|own",
            "softmax* .. inside .. loss",
            "loss|cross|funktion|function .. expect*|erwartet*|need*|takes .. logit*",
            "probabilit*|wahrscheinlichkeit* .. logit*",
            "logit* .. probabilit*|wahrscheinlichkeit*",
            "return*|gives|gibt|gets|receives|bekommt|gets|outputs probabilit*|wahrscheinlichkeit*",
        ),
        (
            "softmax* .. <two-times>",
            "<two-times> .. softmax*",
            "two|zwei softmax*",
        ),
    ),
}

CAUSES: Mapping[str, Saying] = {
    "weights-too-large": Saying(
        (
            "<weight> .. <too> <large>",
            "<too> <large> .. <weight>",
            "<weight> is|are|ist|sind <large>",
            "<large> initial|starting|start .. <weight>|values|werte*",
            "<large> <weight>",
            "range|variance|varianz|stddev|std|deviation|intervall|bereich|spread|interval|standardabweichung"
            " .. <too> <large>",
            "<weight> .. explod*|huge|riesig*",
            "<large> range|variance|stddev|bereich|interval|deviation",
            "<weight> .. wide|broad|weiten|breiten range|interval|distribution|bereich",
        ),
        across=("<weight> & <too> <large> & !<rate>",),
    ),
    "weights-too-small": Saying(
        (
            "<weight> .. <too> <small>",
            "<too> <small> .. <weight>",
            "<small> initial <weight>",
            "small weights",
        )
    ),
    "weights-zero": Saying(
        (
            "<weight> .. with|to|as|auf|mit <zero> & !between & !negative & !bias* & !around",
            "<weight> is|are|ist|sind|all|alle <zero> & !between & !bias* & !around",
            "<zero> init*|<weight> & !around & !bias* & !mean",
            "all <weight> .. same|equal|identical",
            "symmetr* .. <weight>",
            "alle <weight> .. gleich",
        )
    ),
    "weights-negative": Saying(
        (
            "<weight>|values .. negativ* & !positiv*",
            "negativ* .. <weight> & !positiv* & !bias*",
            "no|keine|without|never|nie|missing .. positiv* .. <weight>|values",
            "<weight> .. never|nie .. positiv*",
            "<weight> .. no|nicht|not symmetric|symmetrisch*|zero-mean",
            "asymmetric .. <weight>",
            "<weight> .. below|under|unter <zero>",
            "negativ* .. pre-activation*|relu*|input*|summe*|sum*",
            "<weight> .. only|nur|all .. <small> than <zero>",
            "one-sided .. <weight>",
            "<weight> .. asymmetri*",
        )
    ),
    "biases-negative": Saying(("bias* .. negativ*", "negativ* .. bias*")),
    "saturating-activation": Saying(
        (
            "<squashing>|<act> .. saturat*|saettig*|gesaettigt*",
            "saturat*|saettig* .. <squashing>",
            "<squashing> & <bad>",
            "<squashing> & vanish*|verschwind*|squash*|flat|flach|derivative|ableitung",
            "<squashing> .. <gradient> .. <small>|<zero>",
            "<gradient> .. <squashing>",
            "<squashing> .. <gradient>",
            "<squashing> .. deep|tief*|many|viele*",
            "due|because|wegen|durch <squashing>",
            "wegen .. <squashing>",
            "because|due .. <squashing>",
            "<squashing> .. not .. deep",
            "<bad> .. <squashing>",
            "<squashing> activation* .. layer*",
        ),
        across=("<bad> <act> .. <squashing>", "<squashing> & vanish*|verschwind*"),
    ),
    "activation-missing": Saying(
        (
            "no|missing|without|keine|ohne|fehl*|lacks .. <act> & !<output>",
            "<act> .. missing|fehl* & !<output>",
            "purely linear|linear network|model",
        )
    ),
    "activation-on-logits": Saying(
        (
            "relu*|sigmoid*|activation*|aktivierung* .. <output> & !softmax*",
            "<output> .. relu*|sigmoid & !softmax*",
        )
    ),
    "softmax-twice": SYMPTOMS[Symptom.OUTPUTS_SOFTMAXED],
    "too-deep": Saying(
        (
            "too|zu many|viele|deep|tief|tiefes .. layer*|schicht*|network|netz*|model",
            "too|zu deep|tief",
            "many|viele|deep|tiefe*|lot|number .. layer*|schicht*|netz*|network",
            "depth|tiefe .. network|netz*",
        )
    ),
    "learning-rate-too-large": Saying(
        (
            "<rate> .. <large>|bigger",
            "<large> .. <rate>",
            "step*|schritte .. <too> <large>",
            "overshoot*|overshot",
            "ueberschiess*",
        ),
        across=("<rate> & <too> <large>",),
    ),
    "learning-rate-too-small": Saying(
        ("<rate> .. <small>", "<small> .. <rate>", "<rate> & <too> <small>"),
        across=("<rate> & <too> <small> & !<weight>",),
    ),
    "gradient-sign": Saying(
        (
            "gradient ascent",
            "gradientenaufstieg",
            "wrong|falsch* sign|direction|vorzeichen|richtung",
            "loss .. maximi*",
            "maximi* .. loss",
            "gradient .. added",
        )
    ),
    "inputs-noisy": SYMPTOMS[Symptom.INPUTS_SWAMPED],
    "inputs-not-scaled": Saying(
        (
            "<input> .. not|nicht .. normali*|scaled|skalier*|rescaled",
            "unnormali*|unscaled|unskaliert*",
            "<input> .. 255",
            "missing|no|without|fehlende* normali*|scaling|skalierung",
        ),
        across=("<input> & 255",),
    ),
    "inputs-wrong": Saying(
        ("<input> .. wrong|random|garbage|corrupt*|broken|kaputt*|falsch*|zufaellig*|shuffled|permut*",)
    ),
    "labels-wrong": Saying(
        ("label*|klassen .. wrong|shuffl*|random|mismatch*|shift*|falsch*|off|vertauscht*|uint8",)
    ),
    "log-of-zero": Saying(("log|logarithm* .. <zero>", "log of <zero>")),
}
