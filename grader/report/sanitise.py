"""Turns Markdown and HTML from a hand-in into markup that cannot do anything.

Two locks on one door: nh3 lets only a short list of tags and attributes through, and the page's
content policy forbids scripts, frames, forms and every address outside the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from grader.notebook.images import MAX_PIXELS, Redrawing
from grader.report.allowance import size_of
from grader.report.images import redrawn_address
from grader.report.visible import cut, show_hidden

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MARKDOWN_LIMIT = 20_000
HTML_LIMIT = 20_000
_MOST_GROWTH = 20

_TAGS = {
    *(
        "p",
        "div",
        "span",
        "br",
        "hr",
        *(f"h{level}" for level in range(1, 7)),
        "center",
        "details",
        "summary",
        "figure",
    ),
    *("blockquote", "pre", "ul", "ol", "li", "dl", "dt", "dd"),
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *(
        "a",
        "abbr",
        "b",
        "cite",
        "code",
        "del",
        "dfn",
        "em",
        "i",
        "img",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
    ),
    *("small", "strike", "strong", "sub", "sup", "tt", "u", "var"),
}
_CONTENT_GOES_TOO = {
    *("script", "style", "svg", "math", "template", "head", "title", "noscript", "noframes", "noembed"),
    *("iframe", "frame", "frameset", "object", "embed", "applet", "audio", "video", "canvas"),
    *("select", "textarea", "plaintext", "xmp"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SHORT_NUMBER = re.compile(r"[0-9]{1,3}")
_LINK = re.compile(r"(?:https?://|mailto:|#)", re.IGNORECASE)
_HEADING_TAG = re.compile(r"<(/?)h([1-6])>")
_EMPTY_LINK = re.compile(r'<a(?: [a-z]+="[^"]*")*>\s*</a>')
_EMPTY_HEAD = re.compile(
    r'<th((?: [a-z]+="[^"]*")*)>\s*</th>'
)  # as pandas has it for an index without a name
_IMAGE_TAG = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')
_ALT = re.compile(r' alt="([^"]*)"')
_IN_TEXT, _IN_ADDRESS = str.maketrans("<>", "‹›"), str.maketrans({"<": "%3C", ">": "%3E"})
_IMAGE_DATA = re.compile(r"data:image/(?:png|jpe?g|gif);base64,(?=[A-Za-z0-9+/])", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+(?:(?:\r?\n|%0A)[A-Za-z0-9+/]+)*={0,2}", re.IGNORECASE)
_ONE_LINE_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_PLACE = "data:figure,"


def sanitise_html(html: str) -> Markup:
    """Inert markup for HTML of unknown origin.

    Kept: text, tables, lists, headings (moved below ours, none skipping a level), links to http, https,
    mailto and `#`, and images that are base64 PNG, JPEG or GIF. Gone: scripts, styles, SVG, frames,
    forms, `style`, `class`, `id` and every `on…`. Beyond `HTML_LIMIT` characters (images aside) it is cut
    and says so.
    """
    text, figures = _take_images_out(html, _BASE64)
    shown = cut(text, HTML_LIMIT, keep_end=False)
    return _clean(shown.head, figures) + _mark(shown.left_out)


def sanitise_markdown(text: str, *, limit: int = MARKDOWN_LIMIT) -> Markup:
    """Inert markup for a Markdown cell: rendered by markdown-it, then sanitised like HTML.

    Beyond `limit` characters (images aside) it is cut and says so. Formulas between dollar
    signs are shown as they are written.
    """
    source, figures = _take_images_out(text, _ONE_LINE_BASE64)
    shown = cut(source, limit, keep_end=False)
    rendered = _markdown().render(shown.head)
    if (
        len(rendered) > _MOST_GROWTH * limit
    ):  # a short reference can stand for a long address, again and again
        return Markup("<pre>{}</pre>").format(show_hidden(shown.head)) + _mark(shown.left_out)
    return _clean(rendered, figures) + _mark(shown.left_out)


def length_without_images(text: str) -> int:
    """The characters of Markdown or HTML, base64 images in it aside."""
    return len(_take_images_out(text, _BASE64)[0]) if "base64" in text.lower() else len(text)


def size_of_images(markup: Markup) -> int:
    """The bytes that images take in sanitised markup."""
    return sum(len(piece.split('"', 1)[0]) for piece in markup.split('src="data:')[1:])


def size_without_images(markup: Markup) -> int:
    """The bytes of sanitised markup, images in it aside."""
    return size_of(markup) - size_of_images(markup)


def _mark(left_out: int) -> Markup:
    return Markup("<p><em>… {:,} characters left out …</em></p>").format(left_out) if left_out else Markup()


def _take_images_out(text: str, base64_text: re.Pattern[str]) -> tuple[str, list[str | None]]:
    """`text` with each base64 image replaced by a short address, and what the addresses stand for."""
    figures: list[str | None] = []
    redraw = Redrawing(MAX_PIXELS)
    parts: list[str] = []
    done = 0
    for start in _IMAGE_DATA.finditer(text):
        data = base64_text.match(text, start.end())
        if start.start() < done or data is None:
            continue
        parts += [text[done : start.start()], f"{_PLACE}{len(figures)}"]
        encoded = data.group().replace("%0A", "").replace("%0a", "")
        figures.append(redrawn_address(encoded, redraw))
        done = data.end()
    return "".join([*parts, text[done:]]), figures


def _clean(html: str, figures: list[str | None]) -> Markup:
    import nh3

    cleaned = nh3.clean(
        show_hidden(html),
        tags=_TAGS,
        clean_content_tags=_CONTENT_GOES_TOO,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute_filter(figures),
        strip_comments=True,
        link_rel="noopener nofollow noreferrer",
        url_schemes={"http", "https", "mailto", "data"},
    )
    return Markup(_made_accessible(cleaned))


def _made_accessible(cleaned: str) -> str:
    """Clean markup with headings in order, words for images that lie elsewhere, no empty link or table head.

    In clean markup `<` begins a tag and nothing else: texts have it escaped, attributes do not hold it.
    """
    last = 3
    open_levels: list[int] = []

    def in_order(tag: re.Match[str]) -> str:
        nonlocal last
        if tag[1]:
            return f"</h{open_levels.pop()}>"
        last = min(int(tag[2]) + 3, last + 1, 6)
        open_levels.append(last)
        return f"<h{last}>"

    with_texts = _EMPTY_LINK.sub("", _IMAGE_TAG.sub(_image_or_words, cleaned))
    return _HEADING_TAG.sub(in_order, _EMPTY_HEAD.sub(r"<td\1></td>", with_texts))


def _image_or_words(tag: re.Match[str]) -> str:
    alt = _ALT.search(tag[1])
    if ' src="' not in tag[1]:
        return f"<em>[image not shown{': ' if alt and alt[1] else ''}{alt[1] if alt else ''}]</em>"
    return tag[0] if alt else f'<img{tag[1]} alt="">'


def _attribute_filter(figures: list[str | None]) -> Callable[[str, str, str], str | None]:
    def keep(tag: str, name: str, value: str) -> str | None:
        if (tag, name) == ("img", "src"):
            place, number = value[: len(_PLACE)], value[len(_PLACE) :]
            is_ours = place == _PLACE and _SHORT_NUMBER.fullmatch(number) and int(number) < len(figures)
            return figures[int(number)] if is_ours else None
        if name == "href":
            return value.translate(_IN_ADDRESS) if _LINK.match(value) else None
        if name in {"colspan", "rowspan", "start"}:
            return value if _SHORT_NUMBER.fullmatch(value) else None
        return value.translate(_IN_TEXT)

    return keep


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    class Markdown(MarkdownIt):
        def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
            """Lets every address through: nh3 decides, and a refused one would be left as raw text."""
            return True

    markdown = Markdown("commonmark", {"html": True, "maxNesting": 20}).enable(["table", "strikethrough"])
    markdown.inline.ruler.before("escape", "formula", _formula)
    markdown.add_render_rule("image", _image)
    return markdown


_FORMULA = re.compile(r"\$\$[^$]+\$\$|\$(?![\s\d])[^$\n]*[^$\s]\$(?!\d)")


def _formula(state: StateInline, silent: bool) -> bool:
    """Keep `$…$` and `$$…$$` from being read as emphasis; there is no script to set them."""
    if state.src[state.pos] != "$":
        return False
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("code_inline", "code", 0)
        token.content = found.group()
    state.pos = found.end()
    return True


def _image(self: RendererHTML, tokens: list[Token], index: int, options: object, env: object) -> str:
    """An image we hold, or words where one stood that lies elsewhere."""
    token = tokens[index]
    address = str(token.attrs.get("src", ""))
    alt = self.renderInlineAsText(token.children or [], options, env)  # type: ignore[arg-type]
    if address.startswith(_PLACE):
        return str(Markup('<img src="{}" alt="{}">').format(address, alt))
    return f"<em>[image not shown{': ' if alt else ''}{escape(alt)}]</em>"
