"""What each way to install brings, and what is in the files that students may have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from student.conftest import REPOSITORY

from grader.course import Course
from grader.student.choosing import course_edition
from grader.student.edition import edition_in_yaml

SAMPLE = REPOSITORY / "submissions/a1/Participant_102_assignsubmission_file/IDL_Assignment_1.ipynb"
OF_RUNNING = (
    *("tensorflow", "keras", "tf_keras", "matplotlib", "pandas", "sklearn", "IPython", "ipykernel"),
    *("nbclient", "nbformat", "jupyter_client", "zmq", "psutil", "sqlalchemy", "nh3"),
)
OF_LINUX = ("fcntl", "resource", "pwd", "grp", "termios")
BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
for name in {blocked!r}:
    sys.modules.pop(name, None)
from grader.cli import main
sys.argv = ["grade", *sys.argv[1:]]
main()
"""


def grade_without(blocked: tuple[str, ...], *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `grade` in a process of its own, in which some modules cannot be imported."""
    program = BLOCKED.format(blocked=blocked)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=cwd, check=False
    )


def test_students_need_no_tensorflow_no_kernel_and_no_linux(tmp_path):
    blocked = OF_RUNNING + OF_LINUX
    edition = grade_without(blocked, "student-edition", "a1", "--course", str(REPOSITORY), cwd=tmp_path)
    assert edition.returncode == 0, edition.stderr
    template = grade_without(blocked, "template", "a1", cwd=tmp_path)
    assert template.returncode == 0, template.stderr
    checked = grade_without(
        blocked, "check", str(SAMPLE), "--edition", "a1.student.yaml", "--html", "page.html", cwd=tmp_path
    )
    assert checked.returncode == 0, checked.stderr
    assert "Nothing that is required is missing" in checked.stdout
    assert "An answer stands in" in (tmp_path / "page.html").read_text("utf-8")


def test_what_needs_more_says_what_to_install(tmp_path):
    told = grade_without(
        ("nbclient", "nbformat", "psutil", "sqlalchemy"),
        *("check", str(SAMPLE), "--course", str(REPOSITORY), "--run"),
        cwd=tmp_path,
    )
    assert told.returncode == 2
    assert 'pip install "grader[run]"' in told.stderr
    graded = grade_without(("nbformat", "psutil", "sqlalchemy"), str(SAMPLE.parent), cwd=tmp_path)
    assert graded.returncode == 2
    assert 'pip install "grader[run]"' in graded.stderr


# Archives and environments ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive, built without the package index."""
    folder = tmp_path_factory.mktemp("dist")
    program = (
        "import sys; from hatchling.build import build_wheel, build_sdist; "
        "build_wheel(sys.argv[1]); build_sdist(sys.argv[1])"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=REPOSITORY, check=True, capture_output=True
    )
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    found = {}
    for archive in folder.glob("*.whl"):
        with zipfile.ZipFile(archive) as wheel:
            found |= {f"wheel/{name}": wheel.read(name) for name in wheel.namelist()}
    for archive in folder.glob("*.tar.gz"):
        with tarfile.open(archive) as source:
            members = [member for member in source.getmembers() if member.isfile()]
            for member in members:
                file = source.extractfile(member)
                assert file is not None
                found[f"source/{member.name.partition('/')[2]}"] = file.read()
    return found


def test_no_secret_of_a_course_is_in_the_wheel_or_the_source_archive(archives):
    files = contents(archives)
    assert {name.partition("/")[0] for name in files} == {"wheel", "source"}
    assert any(name.endswith("grader/cli.py") for name in files)
    for name in files:
        path = name.partition("/")[2]
        own = path.startswith(("grader/", "grader-")) or path in (
            "README.md",
            "pyproject.toml",
            "PKG-INFO",
            ".gitignore",
        )
        assert own, name
        assert not path.endswith((".ipynb", ".yaml", ".npz", ".npy")), name
    hidden = [line for line in secret_lines() if len(line) > 25]
    assert len(hidden) > 50
    everything = b"\n".join(files.values()).decode("utf-8", "replace")
    assert [line for line in hidden if line in everything] == []


def secret_lines() -> list[str]:
    """Lines of keys, thresholds, mutants and references that would tell something."""
    keys = [*REPOSITORY.glob("rubrics/*/*.yaml"), *REPOSITORY.glob("reference_solutions/*/mutants/*.yaml")]
    lines = [line.strip() for file in keys for line in file.read_text("utf-8").split("\n")]
    rubrics = [file.read_text("utf-8") for file in REPOSITORY.glob("rubrics/*.yaml")]
    lines += [
        line.strip() for text in rubrics for line in text.split("\n") if "full:" in line or "right:" in line
    ]
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("example", ["github-actions.yml", "gitlab-ci.yml"])
def test_the_examples_for_ci_install_the_wheel_by_its_name(example, archives):
    text = (REPOSITORY / "docs" / "ci" / example).read_text("utf-8")
    [line] = re.findall(r"python -m (pip install .*?) +#", text)
    told = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m {line} --dry-run --no-deps --ignore-installed"],
        cwd=archives, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr


def a_fresh_environment(folder: Path, *wanted: str) -> Path:
    """A virtual environment with `wanted` installed; its `bin`."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", str(REPOSITORY / "constraints.txt"), *wanted], check=True)
    return folder / "bin"


def installed(environment: Path) -> set[str]:
    program = "from importlib import metadata; print(*[d.name.lower() for d in metadata.distributions()])"
    told = subprocess.run(
        [str(environment / "python"), "-c", program], check=True, capture_output=True, text=True
    )
    return set(told.stdout.split())


def lines_of_the_guide() -> list[str]:
    """What the guide has students type on Linux, from a fresh environment to the first check."""
    guide = (REPOSITORY / "docs" / "student-guide.md").read_text("utf-8")
    return re.findall(r"^\| `([^`]+)` \| `[^`]+` \|$", guide, re.MULTILINE)


def test_the_guide_has_the_wheels_name(archives):
    [wheel] = archives.glob("*.whl")
    [install] = [line for line in lines_of_the_guide() if "pip install" in line]
    assert install.endswith(f" {wheel.name}")


@pytest.mark.install
def test_the_lines_of_the_guide_lead_to_a_check(archives, tmp_path):
    [wheel] = archives.glob("*.whl")
    shutil.copy(wheel, tmp_path)
    shutil.copy(SAMPLE, tmp_path / "my.ipynb")
    edition = edition_in_yaml(course_edition(Course(root=REPOSITORY), "a1"))
    (tmp_path / "a1.student.yaml").write_text(edition, "utf-8")
    told = subprocess.run(
        ["bash", "-c", " && ".join(lines_of_the_guide())],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "Nothing that is required is missing" in told.stdout


@pytest.mark.install
def test_the_base_install_checks_a_notebook_and_has_no_tensorflow(archives, tmp_path):
    [wheel] = archives.glob("*.whl")
    environment = a_fresh_environment(tmp_path / "base", str(wheel))
    there = installed(environment)
    assert not there & {"tensorflow", "keras", "nbclient", "jupyter-client", "jupyter_client", "ipykernel"}
    own = tmp_path / "elsewhere"
    own.mkdir()
    grade = str(environment / "grade")
    subprocess.run(
        [grade, "student-edition", "a1", "--course", str(REPOSITORY), "--to", str(own / "a1.student.yaml")],
        check=True,
    )
    checked = subprocess.run(
        [grade, "check", str(SAMPLE), "--edition", "a1.student.yaml"], cwd=own, check=False
    )
    assert checked.returncode == 0
    run = subprocess.run(
        [grade, "check", str(SAMPLE), "--edition", "a1.student.yaml", "--run"],
        cwd=own, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 2
    assert 'pip install "grader[run]"' in run.stderr


@pytest.mark.install
@pytest.mark.parametrize("extras", ["run", "run,dev"])
def test_an_install_with_extras_runs_a_notebook(extras, archives, tmp_path):
    [wheel] = archives.glob("*.whl")
    environment = a_fresh_environment(tmp_path / "env", f"{wheel}[{extras}]")
    edition = tmp_path / "a1.student.yaml"
    grade = str(environment / "grade")
    subprocess.run(
        [grade, "student-edition", "a1", "--course", str(REPOSITORY), "--to", str(edition)], check=True
    )
    checked = subprocess.run(
        [grade, "check", str(SAMPLE), "--edition", str(edition), "--run", "--json"],
        capture_output=True, text=True, check=False,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert '"was_run": true' in checked.stdout
