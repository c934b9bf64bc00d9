from grader.notebook.records import Output, OutputKind
from grader.report.allowance import size_of
from grader.report.outputs import OUTPUT_LIMIT, OUTPUTS_SHOWN, OutputViewer


def view(*outputs):
    return OutputViewer([outputs]).view(outputs)


def shown_text(output):
    return "\n".join(filter(None, (output.text.head, output.folded, output.text.tail)))


def test_a_long_output_is_cut_with_its_last_lines_kept(printed):
    text = "".join(f"step {n}\n" for n in range(100_000)) + "Test accuracy: 0.95"
    (output,) = view(printed(text))
    assert len(shown_text(output)) <= OUTPUT_LIMIT + 100
    assert "characters left out" in output.folded
    assert output.text.tail.endswith("Test accuracy: 0.95")


def test_the_middle_of_many_lines_is_folded_away_and_no_line_is_lost(printed):
    lines = [f"epoch {n}: loss 0.5" for n in range(60)]
    (output,) = view(printed("\n".join(lines)))
    assert output.folded_lines == 40
    assert shown_text(output).split("\n") == lines


def test_few_lines_are_not_folded(printed):
    (output,) = view(printed("\n".join("ab" * 12)))
    assert output.folded == ""


def test_the_lines_of_a_drawn_table_are_not_broken(printed):
    summaries = (
        "Model: net\n┏━━━━━━━━━━━━━┳━━━━━━━━━┓\n┃ Layer       ┃ Shape   ┃\n",
        "_________________________\nLayer (type)    Shape\n=========================\n",
        "+-------+------+------+\n| width | rate | loss |\n",
    )
    assert [view(printed(summary))[0].is_ruled for summary in summaries] == [True] * 3
    assert not view(printed("100/100 [====================] - loss: 0.5\n" * 30))[0].is_ruled


def test_a_thousand_pieces_of_one_stream_are_one_output(printed):
    assert len(view(*[printed(f"{n} ") for n in range(1_000)])) == 1


def test_ten_thousand_displays_are_cut_with_a_note():
    outputs = view(*[Output(kind=OutputKind.DISPLAY, text=str(n)) for n in range(10_000)])
    assert len(outputs) == OUTPUTS_SHOWN + 1
    assert outputs[-1].kind == "note"


def test_the_outputs_of_a_page_have_an_allowance_that_all_share(printed):
    every = [(printed("y" * 30_000),) for _ in range(100)]
    viewer = OutputViewer(every, room=50_000)
    texts = [shown_text(output) for outputs in every for output in viewer.view(outputs)]
    assert sum(map(size_of, texts)) <= 50_000
    assert all(texts)


def test_a_figure_with_forged_bytes_is_left_out_with_a_note(a_picture):
    def show(image):
        (output,) = view(Output(kind=OutputKind.DISPLAY, image=image, image_type="image/png"))
        return output

    assert show(a_picture()).kind == "figure"
    assert show("PHN2Zz48L3N2Zz4=").kind == "note"


def test_html_of_which_nothing_is_left_is_shown_as_its_text():
    output = Output(kind=OutputKind.DISPLAY, text="a chart", html="<script>draw()</script><div></div>")
    (shown,) = view(output)
    assert (shown.kind, shown.text.head) == ("text", "a chart")


def test_html_too_large_for_the_page_is_shown_as_its_text():
    output = Output(kind=OutputKind.DISPLAY, text="a table", html="<p>x</p>" * 5_000)
    (shown,) = view(output)
    assert (shown.kind, shown.text.head) == ("text", "a table")
