"""The class page as a grading writes it: what comes from other assignments."""

from __future__ import annotations

import shutil

from moodle.evening import RUBRIC, Evening, notebook_of, write_evening

from grader.course import Course
from grader.pipeline import grade


def a_course(root, **sizes):
    """Assignments with so many hand-ins of people each."""
    write_evening(root)
    (root / "deadlines.yaml").unlink()
    for assignment, size in sizes.items():
        (root / "rubrics" / f"{assignment}.yaml").write_text(RUBRIC.replace("a1", assignment))
        if assignment != "a1":
            shutil.copytree(root / "rubrics" / "a1", root / "rubrics" / assignment)
        for number in range(1, size + 1):
            name = f"Robin Example{number}_{number + 100}_assignsubmission_file"
            folder = root / "submissions" / assignment / name
            folder.mkdir(parents=True)
            (folder / "work.ipynb").write_text(notebook_of(number))
    return Course(root=root)


def test_from_the_second_assignment_on_progress_is_shown(tmp_path):
    course = a_course(tmp_path / "course", a1=3, a2=3)
    first, second = grade(course.root / "submissions", course, Evening(1))
    assert "Progress over assignments" not in first.class_page.read_text("utf-8")
    page = second.class_page.read_text("utf-8")
    progress = page[page.index('id="progress"') :]
    assert 'scope="row">a1</th>' in progress
    assert 'scope="row">a2</th>' in progress
    assert "Robin" not in progress
