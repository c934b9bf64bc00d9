"""What IPython understands and Python does not, blanked out so that the rest of a cell parses."""

from __future__ import annotations

import re

AUTOMAGICS = frozenset(
    """
    cat cd conda cp dirs env git hist history less load_ext ls lsmagic mamba man matplotlib mkdir more mv
    pip pwd rm rmdir run tensorboard tensorflow_version time timeit who whos
    """.split()  # noqa: SIM905
)
"""Words that begin a magic without its `%`, where no variable is called so."""

_BODY_IS_PYTHON = {"%%time", "%%timeit", "%%capture", "%%prun", "%%memit", "%%python", "%%python3"}
_MAGIC_OR_SHELL = re.compile(r"^(?P<indent>[ \t]*)(?:%|!|\?)")
_ASSIGNED = re.compile(r"^(?P<head>[ \t]*[A-Za-z_][\w.\[\]'\", \t]*=[ \t]*)(?:%|!)(?!=)")
_HELP = re.compile(r"^(?P<indent>[ \t]*)[A-Za-z_][\w.]*\?{1,2}[ \t]*$")
_TIMED_STATEMENT = re.compile(r"^(?P<indent>[ \t]*)%(?:time|timeit|prun)[ \t]+(?P<code>[^-\s].*)$")
_MARKS = re.compile(r"\\.|'''|\"\"\"|'|\"|#|[()\[\]{}]", re.DOTALL)


def clean_source(source: str) -> str:
    """The Python of a cell: magics, shell lines and help requests are blanked, lines keep their numbers.

    A cell magic of another language (`%%bash`, `%%html`, `%%writefile` …) leaves a blank cell; `%%time`
    and its like keep the body; `%time statement` keeps the statement; `x = !ls` becomes `x = None`.
    Lines inside triple-quoted strings are left alone. A shell line that goes on after a backslash is
    blanked as a whole. Never raises.
    """
    lines = source.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ").split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].startswith("%%"):
        if lines[first].split()[0] not in _BODY_IS_PYTHON:
            return "\n".join("" for _ in lines)
        lines[first] = ""
    return "\n".join(_cleaned(lines))


def _cleaned(lines: list[str]) -> list[str]:
    cleaned: list[str] = []
    string = ""  # the quotes of the triple-quoted string that the line starts in
    depth = 0  # brackets that are open where the line starts
    shell_goes_on = code_goes_on = False  # the line before ended in a backslash
    for line in lines:
        mended: str | None = None
        if shell_goes_on:
            mended = ""
        elif not string and not depth and not code_goes_on:
            mended = _without_magic(line)
        if mended is not None:
            shell_goes_on = line.rstrip().endswith("\\")
            cleaned.append(mended)
            continue
        cleaned.append(line)
        string, depth = _after(line, string, depth)
        code_goes_on = line.rstrip().endswith("\\")
    return cleaned


def _without_magic(line: str) -> str | None:
    """The line as Python, or None when it has nothing of IPython in it."""
    timed = _TIMED_STATEMENT.match(line)
    if timed:
        return timed["indent"] + timed["code"]
    found = _MAGIC_OR_SHELL.match(line) or _HELP.match(line)
    if found:
        indent = found["indent"]
        return f"{indent}pass" if indent else ""
    assigned = _ASSIGNED.match(line)
    if assigned:
        return assigned["head"] + "None"
    return None


def _after(line: str, string: str, depth: int) -> tuple[str, int]:
    """The triple quotes and the number of brackets still open at the end of a line."""
    inside = string
    for found in _MARKS.finditer(line):
        mark = found.group()
        if inside:
            inside = "" if mark == inside else inside
        elif mark == "#":
            break
        elif mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth = max(0, depth - 1)
        elif not mark.startswith("\\"):
            inside = mark
    return (inside if len(inside) == 3 else ""), depth
