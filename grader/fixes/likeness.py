"""Of which script a piece of code is a version, by the statements that they share."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rapidfuzz import fuzz, process

from grader.fixes.parsing import parse
from grader.fixes.records import BrokenScript
from grader.fixes.steps import steps_constant

MAX_STATEMENTS = 600

_ALIKE = 85.0  # similarity, of 100, of two versions of one statement
_LEAST_SHARE = 0.3  # of a script's statements, in what is a version of it
_CLOSE = 0.05  # of the shares of two scripts between which nothing can be told
_SHOWS = re.compile(
    r"\b(?:tf\.summary|summary|print|plt|writer\w*|tensorboard|display|log_?dir\w*|logging|histogram|sns|tqdm|datetime|os|time)\b"
)


class Likeness:
    """What tells the scripts from each other."""

    def __init__(self, scripts: Sequence[BrokenScript]) -> None:
        trees = {script.name: parse(script.source) for script in scripts}
        self._statements: Mapping[str, frozenset[str]] = {
            name: frozenset(_statements(tree)) if tree is not None else frozenset()
            for name, tree in trees.items()
        }
        self._makes: Mapping[str, Counter[str]] = {
            script.name: _made_of(trees[script.name], steps_constant(script.source)) for script in scripts
        }

    def kept(self, script: str, tree: ast.Module) -> float:
        """The share of the script's statements that stand in a piece, as they are or a little changed."""
        own = [statement.lower() for statement in self._statements[script]]
        there = list({statement.lower() for statement in _statements(tree)})
        if not own or not there:
            return 0.0
        found = [process.extractOne(s, there, scorer=fuzz.ratio, score_cutoff=_ALIKE) for s in own]
        return sum(one is not None for one in found) / len(own)

    def versions(self, tree: ast.Module) -> frozenset[str]:
        """The scripts that a whole script can be a version of, as far as what only one of them has tells."""
        kept = {name: self.kept(name, tree) for name in self._statements}
        like = {name for name, share in kept.items() if share >= _LEAST_SHARE}
        told = {name: self._told(name, tree) for name in like}
        most = max(told.values(), default=0)
        if not most:
            best = max(kept.values(), default=0.0)
            return frozenset(name for name in like if kept[name] >= best - _CLOSE)
        return frozenset(name for name in like if told[name] == most)

    def speaks_against(self, script: str, tree: ast.Module) -> frozenset[str]:
        """Other scripts of which a piece has more that only they have than it has of `script`."""
        own = self._told(script, tree)
        return frozenset(name for name in self._statements if name != script and self._told(name, tree) > own)

    def is_changed(self, script: str, tree: ast.Module) -> bool:
        """Whether a whole script is more than `script` with prints, plots and summaries."""
        there = frozenset(_statements(tree))
        own = self._statements[script]
        differing = (own - there) | (there - own)
        return any(not _SHOWS.search(statement) for statement in differing)

    def only_adds(self, script: str, tree: ast.Module) -> bool:
        """Whether a whole script still has every name, number and operation of what trains in `script`.

        It may then be the script with looks into it. What shows things, and how many steps there are, says
        nothing.
        """
        return self._makes[script] <= _made_of(tree)

    def _told(self, script: str, tree: ast.Module) -> int:
        others = frozenset().union(*(s for name, s in self._statements.items() if name != script))
        return len((self._statements[script] - others) & frozenset(_statements(tree)))


def _statements(tree: ast.Module) -> Iterator[str]:
    """The statements of a tree by themselves: simple ones, and heads of others; no imports."""
    count = 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        count += 1
        if count > MAX_STATEMENTS:
            return
        text = ast.unparse(node)
        yield text.split("\n", 1)[0] if getattr(node, "body", None) else text


def _made_of(tree: ast.AST | None, steps: str | None = None) -> Counter[str]:
    """How often a tree has each name, number and operation.

    Given the name of the constant of `steps` ("" for none), without what only shows things and without that.
    """
    found: Counter[str] = Counter()
    nodes = [] if tree is None else [tree]
    while nodes:
        node = nodes.pop()
        if steps is not None and isinstance(node, ast.stmt) and _tells_nothing(node, steps):
            continue
        if steps is not None and isinstance(node, ast.If) and "%" in ast.unparse(node.test):
            nodes += node.body  # how often something is shown says nothing
        else:
            nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.Attribute):
            found[node.attr] += 1
        elif isinstance(node, ast.Constant) and not isinstance(node.value, str):
            found[repr(node.value)] += 1
        elif isinstance(node, ast.operator | ast.unaryop):
            found[type(node).__name__] += 1
    return found


def _tells_nothing(node: ast.stmt, steps: str) -> bool:
    """Whether a statement only shows something, or sets the number of steps."""
    if isinstance(node, ast.If):
        return all(_tells_nothing(inner, steps) for inner in (*node.body, *node.orelse))
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.While | ast.With):
        return False
    is_steps = isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [steps]
    return is_steps or isinstance(node, ast.Import | ast.ImportFrom) or bool(_SHOWS.search(ast.unparse(node)))
