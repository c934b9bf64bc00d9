"""What stands in a notebook's own code: numbers that its outputs then show, and data by the kilobyte."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import lru_cache

from grader.evidence.record import Evidence
from grader.notebook.code import CodeIndex

LARGE_BYTES = 20_000  # of data written out in code; the weights of even a tiny network for MNIST take more
_COUNTS_FROM = 200  # bytes of one literal: shorter ones are ordinary strings and settings


def written_down(evidence: Evidence) -> Callable[[float], bool]:
    """Tells whether an accuracy stands as a number in the code, to the digits it was printed with."""
    rounded = _rounded(evidence.shares_in_code)

    def is_written_down(value: float) -> bool:
        digits = min(8, max(2, len(f"{value:.8f}".rstrip("0").partition(".")[2])))
        return f"{value:.{digits}f}" in rounded[digits]

    return is_written_down


@lru_cache(maxsize=1)
def _rounded(numbers: tuple[float, ...]) -> dict[int, set[str]]:
    """By digits after the point: what lies between 0 and 1 of numbers and of as many per cent."""
    shares = {value for number in numbers for value in (number, number / 100) if value < 1}
    return {digits: {f"{value:.{digits}f}" for value in shares} for digits in range(2, 9)}


def data_written_out(code: CodeIndex) -> tuple[int, int]:
    """About how many bytes of long literals the code holds, and the cell with most of them."""
    sizes = {cell.number: _written_out(code, cell.number) for cell in code.cells}
    return sum(sizes.values()), max(sizes, key=lambda cell: sizes[cell], default=0)


def _written_out(code: CodeIndex, cell: int) -> int:
    """About how many bytes the long literals of a cell take; all of a cell that holds more than Python."""
    source = code.source(cell)
    is_unread = source.lstrip().startswith("%%") or cell in {number for number, _ in code.unparsed}
    if is_unread and len(source) > LARGE_BYTES:
        return len(source)
    return sum(size for size in _outermost_literals(code.trees[cell]) if size >= _COUNTS_FROM)


def _outermost_literals(node: ast.AST) -> Iterator[int]:
    """The sizes of the outermost literals below `node`."""
    size = _literal_bytes(node)
    if size is not None:
        yield size
        return
    for child in ast.iter_child_nodes(node):
        yield from _outermost_literals(child)


def _literal_bytes(node: ast.AST) -> int | None:
    """About how many bytes a literal takes in the source, None for what is none."""
    match node:
        case ast.Constant(value=str() | bytes() as text):
            return len(text)
        case ast.Constant(value=int() as number):
            return number.bit_length() // 3 + 1  # one of many digits cannot be turned into text
        case ast.Constant(value=value):
            return len(repr(value))
        case ast.UnaryOp(operand=operand):
            return _literal_bytes(operand)
        case ast.BinOp(left=left, right=right):
            parts: list[ast.expr] = [left, right]
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            parts = elements
        case ast.Dict(keys=keys, values=values):
            parts = [*(key for key in keys if key is not None), *values]
        case _:
            return None
    sizes = [_literal_bytes(part) for part in parts]
    known = [size for size in sizes if size is not None]
    return sum(known) + 2 * len(known) if len(known) == len(sizes) else None
