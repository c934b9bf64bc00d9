"""Whose code is at work: the notebook's, or that of an installed library."""

from __future__ import annotations

import re
import sysconfig
from types import CodeType
from typing import Any

_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_known: dict[CodeType, bool] = {}  # a plain dictionary: `asking.py` compares functions by their code


def is_library(code: CodeType) -> bool:
    """Whether code comes from the standard library or an installed package."""
    found = _known.get(code)
    if found is None:
        found = _known[code] = code.co_filename.startswith((*_LIBRARIES, "<frozen"))
    return found


def name_of(code: CodeType) -> str:
    """The function's name as it was written: AutoGraph puts `tf__` before it and makes functions of loops."""
    converted = re.search(r"\btf__(\w+)", code.co_qualname)
    return converted[1] if converted else code.co_name


def code_of(function: Any) -> CodeType | None:
    """The code of a Python function, whatever decorators and bindings are around it; None if it has none."""
    from tensorflow.python.util import tf_decorator

    inner = tf_decorator.unwrap(function)[1]
    for name in ("__func__", "__wrapped__", "python_function"):
        inner = getattr(inner, name, inner)
    found = getattr(inner, "__code__", None)
    return found if isinstance(found, CodeType) else None
