"""The stand-in for MNIST: ten figures drawn with a pen of our own, nobody's handwriting."""

from functools import cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.datasets.drawing import BLOCK, Bytes, Draws, Floats, Warp, draw_blocks, limited, warped

SEED = 20_190_401
_WARP = Warp(shift=0.08, turn=0.09, shear=0.13, scale=0.08, bend=0.06)
_HANDS = 12  # ways of writing each figure
_TABLE = 128  # distance tables are this wide, over [-2, 2] x [-2, 2]
_SHARES = (0.099, 0.111, 0.099, 0.102, 0.098, 0.091, 0.099, 0.104, 0.098, 0.099)

Point: TypeAlias = tuple[float, float]

# Per figure several forms, per form strokes (a|b), per stroke the points (across,down in hundredths of the
# half-width, from the middle) that a smooth line passes through.
_FORMS = (
    (  # 0
        "0,-100 -60,-60 -70,0 -60,60 0,100 60,60 70,0 60,-60 0,-100",
        "30,-90 -30,-80 -60,0 -30,85 20,90 60,10 35,-70 0,-100",
    ),
    (  # 1
        "0,-100 0,0 0,100",
        "-40,-55 0,-100|0,-100 0,100",
        "-35,-60 0,-100|0,-100 0,100|-40,100 40,100",
    ),
    (  # 2
        "-60,-50 -10,-100 55,-60 20,10 -60,95|-60,95 65,90",
        "-55,-60 0,-100 50,-50 0,40 -50,90 -50,60 0,70|0,70 65,90",
    ),
    (  # 3
        "-55,-80 10,-100 50,-50 -10,-5|-10,-5 60,45 0,100 -60,75",
        "-50,-95 50,-95|50,-95 -5,-15|-5,-15 60,40 0,100 -60,80",
    ),
    (  # 4
        "-50,-90 -60,10|-60,10 60,10|40,-80 35,100",
        "30,-100 -65,20|-65,20 65,20|30,-100 30,100",
    ),
    (  # 5
        "55,-95 -40,-95|-40,-95 -50,-10|-50,-10 20,-20 60,35 10,95 -60,80",
        "60,-90 -30,-95 -45,-30 20,-10 45,50 -10,100 -55,70",
    ),
    (  # 6
        "40,-100 -30,-30 -55,40 -10,95 50,50 10,5 -50,40",
        "10,-100 -40,-10 -40,70 20,95 50,40 0,20 -40,60",
    ),
    (  # 7
        "-60,-85 60,-90|60,-90 10,0 -15,100",
        "-60,-85 60,-90|60,-90 -10,100|-25,5 45,0",
        "-55,-60 -50,-90|-50,-90 55,-90|55,-90 0,10 -20,100",
    ),
    (  # 8
        "40,-75 -20,-95 -40,-50 40,30 30,85 -30,90 -45,40 30,-30 40,-75",
        "0,-5 -45,-50 0,-100 45,-50 0,-5|0,-5 -55,45 0,100 55,45 0,-5",
    ),
    (  # 9
        "50,-50 0,-95 -50,-50 -10,-10 50,-50|50,-50 40,30 20,100",
        "45,-70 -10,-95 -50,-40 0,-10 45,-60|45,-60 50,40 10,95 -40,80",
    ),
)


def draw_digits(blocks: range) -> tuple[Bytes, Bytes]:
    """Images (n, 28, 28) and labels (n,), both uint8, of the given blocks of 1,000 figures each."""
    return draw_blocks(SEED, blocks, _labels, _written)


def _labels(draws: Draws, count: int) -> NDArray[np.intp]:
    """Labels that are as uneven as those of handwriting that people were asked to give: 9 to 11 % each."""
    drawn = draws.uniform(count).reshape(count).astype(np.float64)
    labels = np.zeros(count, np.intp)
    bound = 0.0
    for share in _SHARES[:-1]:
        bound += share
        labels += drawn >= bound
    return labels


def _written(draws: Draws, label: int, count: int) -> Floats:
    """`count` grey images of the figure `label`, in [0, 1], shape (count, 28, 28)."""
    x, y = warped(draws, count, _WARP)
    x *= draws.uniform(count, 1.3, 1.9)
    y *= draws.uniform(count, 1.3, 1.55)
    place = np.float32(_TABLE / 4)
    column = ((x + 2) * place).astype(np.intp).clip(0, _TABLE - 1)
    row = ((y + 2) * place).astype(np.intp).clip(0, _TABLE - 1)
    hand = draws.below(count, _HANDS)
    distance = _distances(label)[hand, row, column]
    pen = draws.uniform(count, 0.10, 0.24)
    soft = draws.uniform(count, 0.10, 0.2)
    ink = limited((pen - distance) / soft + np.float32(0.5))
    pressure = draws.uniform(count, 0.75, 1.1) + draws.bell(count, 0.08) * x + draws.bell(count, 0.08) * y
    dry = limited((draws.grain(count) - draws.uniform(count, -0.5, 0.5)) * 4)
    inked: Floats = np.maximum(ink * dry, _stray(draws, x, y)) * pressure
    return inked


def _stray(draws: Draws, x: Floats, y: Floats) -> Floats:
    """What gets on paper beside the figure, on some images: a stray line right across, in [0, 1]."""
    count = len(x)
    lean = draws.uniform(count, -1, 1)
    flat = draws.chance(count, 0.5)
    off = np.where(flat, y - lean * x, x - lean * y) - draws.uniform(count, -1.2, 1.2)
    line = limited((draws.uniform(count, 0.04, 0.12) - np.abs(off)) * 8 + np.float32(0.5))
    return line * draws.chance(count, 0.4) * draws.uniform(count, 0.3, 0.9)


@cache
def _distances(label: int) -> Floats:
    """Distances to the line, one table (rows, columns) per way of writing the figure."""
    axis = (np.arange(_TABLE) + 0.5) * (4 / _TABLE) - 2
    columns, rows = np.broadcast_to(axis, (_TABLE, _TABLE)), np.broadcast_to(axis[:, None], (_TABLE, _TABLE))
    draws = Draws(SEED, BLOCK, label)
    tables = np.empty((_HANDS, _TABLE, _TABLE), np.float32)
    for hand in range(_HANDS):
        forms = _FORMS[label]
        nearest = np.full((_TABLE, _TABLE), np.inf)
        for start, end in _segments(forms[hand % len(forms)], draws):
            np.minimum(nearest, _squared_distance(columns, rows, start, end), out=nearest)
        tables[hand] = np.sqrt(nearest)
    return tables


def _segments(form: str, draws: Draws) -> list[tuple[Point, Point]]:
    """Straight pieces of the smooth lines through the points, each point moved a little.

    Points that coincide move together, so that strokes which meet go on meeting.
    """
    moved: dict[str, Point] = {}
    pieces: list[tuple[Point, Point]] = []
    for stroke in form.split("|"):
        for point in stroke.split():
            if point not in moved:
                off = draws.bell(2, 0.09).reshape(2)
                across, down = (int(number) / 100 for number in point.split(","))
                moved[point] = (across + float(off[0]), down + float(off[1]))
        line = _smooth([moved[point] for point in stroke.split()])
        pieces += pairwise(line)
    return pieces


def _smooth(points: list[Point], steps: int = 4) -> list[Point]:
    """A Catmull-Rom line through the points, `steps` pieces between two of them."""
    if len(points) == 2:
        return points
    around = [points[0], *points, points[-1]]
    line = [points[0]]
    for a, b, c, d in zip(around, around[1:], around[2:], around[3:], strict=False):
        for step in range(1, steps + 1):
            t = step / steps
            line.append((_between(a[0], b[0], c[0], d[0], t), _between(a[1], b[1], c[1], d[1], t)))
    return line


def _between(a: float, b: float, c: float, d: float, t: float) -> float:
    """The Catmull-Rom polynomial between `b` (t = 0) and `c` (t = 1)."""
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def _squared_distance(
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    start: Point,
    end: Point,
) -> NDArray[np.float64]:
    """Squared distance of every point of the table to the straight piece from `start` to `end`."""
    along, down = end[0] - start[0], end[1] - start[1]
    length = max(along * along + down * down, 1e-12)
    across, below = columns - start[0], rows - start[1]
    part = np.clip((across * along + below * down) / length, 0, 1)
    dx, dy = across - part * along, below - part * down
    return dx * dx + dy * dy
