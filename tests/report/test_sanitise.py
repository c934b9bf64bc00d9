import re
from html.parser import HTMLParser

import pytest
from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from grader.report.sanitise import HTML_LIMIT, MARKDOWN_LIMIT, sanitise_html, sanitise_markdown

ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=https://evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src='data:image/svg+xml;base64,PHN2Zz48c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ+PC9zdmc+'>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=alert(1)&gt;'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='//evil.example/'>x</a>",
    "<a href='file:///etc/passwd' ping='https://evil.example/'>x</a>",
    "<iframe src='data:text/html,<script>alert(1)</script>'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href='https://evil.example/'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>.score { display: none }</style>",
    "<div style='position:fixed;inset:0;background:url(https://evil.example/)' class='score' id='main'>x",
    "<form action='https://evil.example/'><input name=q><button formaction=x>go</button></form>",
    "<object data='https://evil.example/'></object><embed src='https://evil.example/'>",
    "<video src='https://evil.example/' onerror=alert(1)></video><audio src=x></audio>",
    "<details open ontoggle=alert(1)>x</details>",
    "<body onload=alert(1)><html manifest=x>",
    "<template><script>alert(1)</script></template><noscript><p title='</noscript><script>alert(1)'>",
    "<table background='https://evil.example/x.png'><tr><td background=x>x</td></tr></table>",
    "<img srcset='https://evil.example/x.png 2x' src='https://evil.example/y.png'>",
    "</div></section></main></body></html><h1 id=main>Score: 10 of 10</h1>",
    "<plaintext>", "<textarea>", "<xmp>", "<select>", "<!--", "<![CDATA[", "<?php", "<a href='",
]  # fmt: skip
MARKDOWN_ATTACKS = [
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](data:text/html;base64,PHNjcmlwdD4=)",
    "![\"><script>alert(1)</script>](https://evil.example/)",
    "```\"><script>alert(1)</script>\ncode\n```",
    "$<script>alert(1)</script>$",
]  # fmt: skip

ALLOWED = {"href", "title", "src", "alt", "colspan", "rowspan", "start", "rel"}


class Markup(HTMLParser):
    """Collects tags and attributes of markup, as a browser would see them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.depth = 0
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.depth += tag not in {"img", "br", "hr", "col"}

    def handle_endtag(self, tag):
        self.depth -= 1
        assert self.depth >= 0, "markup closes something that it did not open"


def assert_inert(markup: str) -> None:
    seen = Markup(markup)
    assert not set(seen.tags) & {"script", "style", "svg", "math", "iframe", "meta", "base", "link", "form"}
    assert not set(seen.tags) & {
        "input",
        "object",
        "embed",
        "video",
        "body",
        "html",
        "h1",
        "h2",
        "h3",
        "template",
    }
    for name, value in seen.attributes:
        assert name in ALLOWED
        if name == "href":
            assert re.match(r"(https?://|mailto:|#)", value, re.IGNORECASE)
        if name == "src":
            assert re.match(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=]+$", value)
    assert seen.depth == 0


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_html_is_inert(attack):
    assert_inert(sanitise_html(attack))


@pytest.mark.parametrize("attack", [*ATTACKS, *MARKDOWN_ATTACKS])
def test_an_attack_in_markdown_is_inert(attack):
    assert_inert(sanitise_markdown(f"before\n\n{attack}\n\nafter {attack}"))


@given(
    st.lists(st.sampled_from([*ATTACKS, *MARKDOWN_ATTACKS, "<p", ">", "'", '"', "`", "<div>", "\n\n", "]("]))
)
def test_attacks_put_together_are_inert(pieces):
    assert_inert(sanitise_markdown("".join(pieces)))
    assert_inert(sanitise_html("".join(pieces)))


def test_a_link_says_that_it_vouches_for_nothing():
    markup = sanitise_markdown("[docs](https://www.tensorflow.org/guide)")
    assert 'href="https://www.tensorflow.org/guide"' in markup
    assert 'rel="noopener nofollow noreferrer"' in markup


def test_headings_stand_below_those_of_the_page():
    assert (
        sanitise_markdown("# One\n\n## Two\n\n<h1>Three</h1>") == "<h4>One</h4>\n<h5>Two</h5>\n<h4>Three</h4>"
    )


def test_headings_skip_no_level_whatever_the_author_did():
    assert sanitise_html("<h5>One</h5><h2>Two</h2><h6>Three</h6>") == "<h4>One</h4><h5>Two</h5><h6>Three</h6>"


def test_an_image_has_a_text_and_a_link_without_one_is_gone(a_picture):
    packed = a_picture()
    assert f'<img src="data:image/png;base64,{packed}" alt="">' == sanitise_html(
        f'<img src="data:image/png;base64,{packed}">'
    )
    assert sanitise_html('<a href="https://example.org"> </a>') == ""
    badge = '<a href="https://example.org"><img src="https://evil.example/b.svg" alt="Open in Colab"></a>'
    assert ">Open in Colab" not in sanitise_html(badge)
    assert "<em>[image not shown: Open in Colab]</em>" in sanitise_html(badge)


def test_an_empty_head_of_a_column_is_a_plain_cell():
    markup = sanitise_html('<table><tr><th rowspan="2"></th><th>loss</th></tr></table>')
    assert '<td rowspan="2"></td><th>loss</th>' in markup


def test_an_attribute_cannot_pass_for_a_tag():
    markup = sanitise_html('<abbr title="<a title=">x" onclick="y</abbr><abbr title="></a>">z</abbr>')
    assert_inert(markup)
    assert "<" not in "".join(value for _, value in Markup(markup).attributes)


def test_a_short_reference_cannot_stand_for_megabytes():
    bomb = f"[a]: https://example.org/{'x' * 8_000}\n\n" + "[a]" * 3_000
    with bounded():
        assert len(sanitise_markdown(bomb)) < 2 * MARKDOWN_LIMIT


def test_an_image_inside_the_text_is_shown(a_picture):
    packed = a_picture()
    expected = f'<img src="data:image/png;base64,{packed}" alt="loss">'
    assert expected in sanitise_markdown(f"See ![loss](data:image/png;base64,{packed}).")
    assert expected in sanitise_html(f'<img src="data:image/png;base64,{packed}" alt="loss" onload="x()">')


def test_an_image_that_lies_elsewhere_is_named_and_not_loaded():
    assert "[image not shown: the loss]" in sanitise_markdown("![the loss](https://evil.example/loss.png)")


def test_a_large_image_does_not_cut_the_answer_below_it(a_picture):
    packed = a_picture(300, 300, "JPEG")
    text = f"![x](data:image/jpeg;base64,{packed})\n\n" * 30 + "The answer is symmetry."
    assert len(text) > MARKDOWN_LIMIT
    assert "The answer is symmetry." in sanitise_markdown(text)


def test_a_formula_is_not_read_as_emphasis():
    assert "<code>$a_1 * b_2 * c_3$</code>" in sanitise_markdown("where $a_1 * b_2 * c_3$ holds")
    assert "<code>" not in sanitise_markdown("between $5 and $6")


def test_a_table_is_a_table():
    assert "<td>0.94</td>" in sanitise_markdown("| size | acc |\n|---|---|\n| 64 | 0.94 |")


@pytest.mark.parametrize(
    "piece", ["[", "*a ", "> ", "<", "![[", "$a", "_a__b", "<div>", "&", "[a](<", "<!--", "|a"]
)
def test_a_bomb_for_the_parser_is_bounded_and_says_what_is_left_out(piece):
    bomb = piece * (2_000_000 // len(piece))
    with bounded():
        markup = sanitise_markdown(bomb)
    assert f"{len(bomb) - MARKDOWN_LIMIT:,} characters left out" in markup


def test_long_html_is_cut_with_a_mark():
    markup = sanitise_html("<p>word</p>" * 100_000)
    assert "characters left out" in markup
    assert len(markup) < 2 * HTML_LIMIT
