from grader.model import Reason, Source
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Output, OutputKind
from grader.report.allowance import EXCERPTS
from grader.report.excerpts import ExcerptTaker

LONG = "\n".join(f"x{n} = {n}" for n in range(60))


def take(an_evidence, notebook, *reasons, **changes):
    evidence = an_evidence(notebook, saved=read_outputs(notebook), **changes)
    return ExcerptTaker(evidence).take(reasons)


def test_of_a_long_cell_the_lines_that_a_reason_quotes_are_shown(an_evidence, a_notebook, code):
    (excerpt,) = take(an_evidence, a_notebook(code(LONG)), Reason(text="`x40` is set.", cell=1))
    assert excerpt.lines == (38, 49)
    assert "x40 = " in excerpt.body
    assert "x5 = " not in excerpt.body


def test_a_short_cell_is_shown_whole(an_evidence, a_notebook, code):
    (excerpt,) = take(an_evidence, a_notebook(code("x = 1")), Reason(text="x", cell=1))
    assert (excerpt.lines, excerpt.body) == (None, "x = <i class=n>1</i>")


def test_the_printed_line_with_the_number_is_shown(an_evidence, a_notebook, code, printed):
    notebook = a_notebook(code("f()", printed("loss: 0.3\nTest accuracy: 0.91\n")))
    reason = Reason(text="It is 0.91.", cell=1, numbers=(0.91,), source=Source.SAVED)
    (excerpt,) = take(an_evidence, notebook, reason)
    assert excerpt.printed == (("as saved", "Test accuracy: 0.91"),)


def test_a_figure_is_shown_unless_its_bytes_are_forged(an_evidence, a_notebook, code, a_picture):
    def figure(image):
        notebook = a_notebook(code("f()", Output(kind=OutputKind.DISPLAY, image=image)))
        return take(an_evidence, notebook, Reason(text="A figure.", cell=1))[0].figure

    assert figure(a_picture()).startswith("data:image/png;base64,")
    assert figure("PHN2Zz48L3N2Zz4=") == ""


def test_a_text_is_sanitised(an_evidence, a_notebook, markdown):
    (excerpt,) = take(
        an_evidence, a_notebook(markdown("**Why** <script>x</script>")), Reason(text="x", cell=1)
    )
    assert excerpt.body == "<p><strong>Why</strong> </p>\n"


def test_cells_that_are_not_there_and_cells_named_twice_make_no_second_excerpt(an_evidence, a_notebook, code):
    reasons = [Reason(text="x", cell=cell) for cell in (1, 1, 99, None)]
    assert [excerpt.cell for excerpt in take(an_evidence, a_notebook(code("x")), *reasons)] == [1]


def test_excerpts_of_one_page_have_an_allowance(an_evidence, a_notebook, code):
    notebook = a_notebook(*[code("\n".join(["y = '" + "x" * 500 + "'"] * 12)) for _ in range(40)])
    taker = ExcerptTaker(an_evidence(notebook))
    taken = [e for n in range(1, 41) for e in taker.take([Reason(text="x", cell=n)])]
    assert 1 <= len(taken) < 10
    assert sum(len(excerpt.body) for excerpt in taken) <= EXCERPTS
