from grader.evidence.timings import Timing
from grader.report.pictures.graph_gain import draw_gains


def a_timing(**fields):
    usual = {"name": "step", "parameters": 1_000, "eager": (0.004,) * 9, "graph": (0.001,) * 9}
    return Timing.model_validate(usual | fields)


def test_each_size_has_a_row_beside_a_net_of_ours_the_smallest_first():
    picture = draw_gains((a_timing(), a_timing(name="reference", parameters=13, is_reference=True)))
    assert picture.description == (
        "a net of ours, 13 weights: 4 ms eagerly, 1 ms as a graph. "
        "step, 1,000 weights: 4 ms eagerly, 1 ms as a graph."
    )
    assert picture.svg("one").count("<circle") == 2 + 4


def test_nothing_is_drawn_where_too_little_was_timed():
    assert draw_gains((a_timing(eager=(1.0,), graph=(1.0,)),)) is None
    assert draw_gains(()) is None
