from __future__ import annotations

import pytest

from grader.notebook.code import CodeIndex
from grader.notebook.literals import shares_in
from grader.notebook.records import Cell, CellKind


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 0.9134\ny = 91.34", (0.9134, 91.34)),
        ("print('accuracy:', '0.9' '134')", (0.9134,)),
        ("print('\\x30.5 of 1000')", (0.5,)),
        ("x = 9134e-4 + 0b11 - True", (0.9134, 3.0)),
        ("x = 1  # 0.9134", (1.0,)),
        ("x = 100, 0, 1e400, 12345678901234567890", ()),
        ("!echo accuracy 0.9134\nx = !echo 91.34\n%time y = 2  # 3", (0.9134, 2.0, 3.0, 91.34)),
        ("x = 1\r\n!echo 0.5\ry = 2", (0.5, 1.0, 2.0)),
        ("0.5 = x", (0.5,)),
        ("%%bash\necho 0.25 of version3.75", (0.25,)),
    ],
)
def test_numbers_in_code_that_may_be_a_share(source: str, expected: tuple[float, ...]) -> None:
    assert shares_in(CodeIndex([Cell(number=1, kind=CellKind.CODE, source=source)])) == expected
