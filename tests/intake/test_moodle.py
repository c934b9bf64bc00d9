import pytest
from bounded import bounded

from grader.intake.moodle import owner_of_entry, parse_moodle_name, plain_text


def test_the_name_of_folder_mode_is_taken_apart_with_old_and_new_ending() -> None:
    for name in ("Anna Meier_12_assignsubmission_file", "Anna Meier_12_assignsubmission_file_"):
        parsed = parse_moodle_name(name)
        assert parsed is not None
        assert (parsed.participant.name, parsed.participant.id) == ("Anna Meier", "12")
        assert (parsed.plugin, parsed.rest, parsed.label) == ("file", "", "Anna Meier_12")


def test_flat_mode_keeps_the_file_s_own_name() -> None:
    parsed = parse_moodle_name("Jörg_von_der_Au_7_assignsubmission_file_my_work_1.ipynb")
    assert parsed is not None
    assert parsed.participant.name == "Jörg von der Au"
    assert parsed.rest == "my_work_1.ipynb"


@pytest.mark.parametrize("word", ["Participant", "Teilnehmer", "Teilnehmerin", "Group A-Participant"])
def test_blind_marking_gives_an_id_and_no_name(word: str) -> None:
    parsed = parse_moodle_name(f"{word}_101_assignsubmission_file")
    assert parsed is not None
    assert parsed.participant.is_blind
    assert (parsed.participant.id, parsed.participant.name) == ("101", None)


def test_a_team_is_known_with_and_without_an_id() -> None:
    team = parse_moodle_name("Gruppe 4_55_assignsubmission_file")
    default = parse_moodle_name("Default group_assignsubmission_file_x.ipynb")
    assert team is not None
    assert default is not None
    assert team.participant.is_group
    assert team.participant.id == "55"
    assert default.participant.is_group
    assert default.participant.id is None
    assert default.rest == "x.ipynb"


def test_a_file_name_cannot_pass_for_somebody_else_s() -> None:
    parsed = parse_moodle_name("Anna_12_assignsubmission_file_Bob_13_assignsubmission_file_x.ipynb")
    assert parsed is not None
    assert parsed.participant.id == "12"
    assert parsed.rest == "Bob_13_assignsubmission_file_x.ipynb"


@pytest.mark.parametrize(
    "name", ["work.ipynb", "Anna_12_file", "Anna_12_assignfeedback_file", "decisions.csv"]
)
def test_other_names_are_not_moodle_s(name: str) -> None:
    assert parse_moodle_name(name) is None


def test_an_entry_s_owner_is_told_by_its_first_folders_only() -> None:
    own = owner_of_entry("Anna_12_assignsubmission_file/../../Bob_13_assignsubmission_file/x")
    assert own is not None
    assert own.label == "Anna_12"
    assert owner_of_entry("../Anna_12_assignsubmission_file/x") is None
    wrapped = owner_of_entry("course-a1/Anna_12_assignsubmission_file/x")
    assert wrapped is not None
    assert wrapped.label == "Anna_12"


def test_online_text_becomes_plain_text_with_its_links() -> None:
    markup = (
        "<!-- note --><p>Dear TA,<br />my&nbsp;work &amp; answers:</p><script>alert(1)</script>"
        '<ul><li>first</li><li><a href="https://example.org/x?a=1&amp;b=2">here</a></li></ul>1 < 2'
    )
    assert plain_text(markup) == (
        "Dear TA,\nmy work & answers:\n\n- first\n\n- [https://example.org/x?a=1&b=2] here\n\n1 < 2"
    )


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<p", "<script>", "<a href=", "&#", "</", "<![CDATA[", "&amp"]
)
def test_hostile_markup_takes_no_time(piece: str) -> None:
    with bounded():
        plain_text(piece * (1_000_000 // len(piece)))


def test_an_absurd_entity_is_left_as_it_is() -> None:
    assert plain_text("a &#" + "9" * 5000 + "; b").startswith("a &#999")
