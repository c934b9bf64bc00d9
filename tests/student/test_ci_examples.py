"""The examples for GitHub and GitLab are what these services read, and do what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from student.conftest import REPOSITORY

from grader.student.edition import Edition, edition_in_yaml

EXAMPLES = REPOSITORY / "docs" / "ci"
GITHUB, GITLAB = EXAMPLES / "github-actions.yml", EXAMPLES / "gitlab-ci.yml"
GOOD = REPOSITORY / "submissions/a1/Participant_102_assignsubmission_file/IDL_Assignment_1.ipynb"
WITHOUT_OUTPUTS = REPOSITORY / "submissions/a1/Participant_104_assignsubmission_file/a1_final.ipynb"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--builtin-schema", "vendor.github-workflows", str(GITHUB)),
        ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(GITLAB)),
    ],
    ids=["github", "gitlab"],
)
def test_an_example_is_valid(arguments):
    told = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def script_of(file: Path) -> str:
    """The lines of an example that check the notebooks, as one script."""
    content = yaml.safe_load(file.read_text("utf-8"))
    if file == GITLAB:
        return "\n".join(content["check-notebooks"]["script"])
    [step] = [s for s in content["jobs"]["check"]["steps"] if s.get("name") == "Check each notebook"]
    return str(step["run"])


@pytest.mark.parametrize("file", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_an_example_checks_each_notebook_and_fails_when_one_misses_something(
    file: Path, tmp_path: Path, editions: dict[str, Edition]
) -> None:
    (tmp_path / "a1.student.yaml").write_text(edition_in_yaml(editions["a1"]), "utf-8")
    shutil.copy(GOOD, tmp_path / "good one.ipynb")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run() -> int:
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script_of(file)]
        environment = os.environ | {"PATH": path}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, check=False
        ).returncode

    assert run() == 0
    (tmp_path / "week 2").mkdir()
    shutil.copy(WITHOUT_OUTPUTS, tmp_path / "week 2" / "good one.ipynb")
    assert run() == 1
    pages = sorted(page.name for page in (tmp_path / "checks").iterdir())
    assert pages == ["good one.html", "week 2_good one.html"]
