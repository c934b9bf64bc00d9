"""The templates' environment: what every page may use, and the policy that locks the page."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from grader.report import wording
from grader.report.criteria import anchor
from grader.report.pictures.bars import share_bar
from grader.report.sanitise import sanitise_html
from grader.report.texts import coded, date, folded
from grader.report.visible import short_name, show_hidden
from grader.report.whose import display_name, own_name

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment() -> Environment:
    """Jinja with autoescaping and strict names; the only style and script are ours, named by their hash."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("grader.report", "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css, script = _ours("report.css"), _ours("class.js")
    made.globals.update(
        css=css,
        script=script,
        policy=_policy(css),
        policy_with_script=_policy(css, script),
        words=wording,
        address=page_address,
        amount=_amount,
        anchor=anchor,
        display_name=display_name,
        own_name=own_name,
        share_bar=share_bar,
    )
    made.filters.update(
        seen=show_hidden,
        name=short_name,
        folded=folded,
        coded=coded,
        html=sanitise_html,
        own_name=own_name,
        date=date,
        stamp=datetime.isoformat,
    )
    return made


def page_address(submission: str, criterion_id: str | None = None) -> str:
    """The address of a hand-in's page as seen from the class page."""
    address = f"{quote(submission, safe='')}/index.html"
    return address if criterion_id is None else f"{address}#{anchor(criterion_id)}"


def _amount(name: str, number: int | None = None) -> Markup:
    """A place for an amount of a hand-in's page, which `grader.report.amounts` fills."""
    return Markup(f"<!--amount {name if number is None else f'{name}_{number}'}--><!--end-->")


def _ours(file: str) -> Markup:
    return Markup(files("grader.report").joinpath(f"templates/{file}").read_text(encoding="utf-8").strip())


def _policy(css: str, script: str = "") -> Markup:
    """Forbids everything but pictures within the page, this style and this script."""
    scripts = [f"script-src '{_sha256(script)}'"] if script else []
    others = ["img-src data:", "base-uri 'none'", "form-action 'none'"]
    return Markup("; ".join(["default-src 'none'", f"style-src '{_sha256(css)}'", *scripts, *others]))


def _sha256(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
