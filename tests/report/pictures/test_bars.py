import re

from grader.report.pictures.bars import share_bar


def test_parts_stand_one_after_the_other_and_the_whole_is_told_elsewhere():
    bar = share_bar([("met", 0.5), ("not_met", 0.25), ("open", 0)])
    assert re.findall(r'class="(\w+)" x="([\d.]+)%" width="([\d.]+)%"', bar) == [
        ("met", "0.00", "50.00"),
        ("not_met", "50.00", "25.00"),
    ]
    assert 'aria-hidden="true"' in bar


def test_shares_beyond_the_whole_do_not_overflow():
    bar = share_bar([("met", 0.8), ("open", 0.9)])
    assert re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', bar) == [("0.00", "80.00"), ("80.00", "20.00")]
