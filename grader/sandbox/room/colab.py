"""Colab's folders, magics and `input()` without a person."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any

from links import link

COLAB = "/content"
_DRIVE_PATHS = re.compile(r"""["'](/content/g?drive/[^"'\n]+|/gdrive/[^"'\n]+)["']""")
_KERAS = "/keras"
_MNIST = f"{_KERAS}/datasets/mnist.npz"
_MNIST_PATHS = re.compile(r"""["']((?:(?!://)[^"'\n])*\bmnist\.npz)["']""")
_INPUTS = 20
_NO_PAGE = "TensorBoard and other pages are not shown in the grading room."


def make_folders(attachments: str, content: str) -> None:
    """Copy what was handed in beside the notebook into `content` and make Colab's folders around it.

    Where a file of the hand-in has the place of one of these folders, it keeps it.
    """
    if os.path.isdir(attachments):
        shutil.copytree(attachments, content, dirs_exist_ok=True, symlinks=True)
    drive = f"{content}/drive"
    with contextlib.suppress(FileExistsError, NotADirectoryError):
        os.makedirs(f"{content}/sample_data", exist_ok=True)
    with contextlib.suppress(FileExistsError, NotADirectoryError):
        os.makedirs(f"{drive}/My Drive/Colab Notebooks", exist_ok=True)
        _link_hand_in(f"{drive}/My Drive", content)
        if not os.path.lexists(f"{drive}/MyDrive"):
            link("My Drive", f"{drive}/MyDrive")


def _link_hand_in(folder: str, content: str) -> None:
    for name in os.listdir(content):
        if name not in ("drive", "gdrive", "sample_data") and not os.path.lexists(f"{folder}/{name}"):
            link(f"{content}/{name}", f"{folder}/{name}")


def follow_drive_paths(content: str) -> None:
    """Let `os.chdir` into any folder of a Drive: it is made, with the hand-in's files in it.

    Where there is no `/content`, because there is no room, paths below it lead to `content`.
    """
    original = os.chdir
    drive = os.path.normpath(f"{content}/drive")

    def chdir(path: Any) -> None:
        try:
            original(path)
        except FileNotFoundError:
            wanted = os.path.normpath(os.path.join(os.getcwd(), os.fspath(path)))
            in_colab = os.path.splitdrive(wanted)[1].replace(os.sep, "/")
            if in_colab.startswith(f"{COLAB}/"):
                wanted = os.path.normpath(content + in_colab.removeprefix(COLAB))
            elif in_colab.startswith(("/gdrive", "/drive")):
                wanted = os.path.normpath(drive + in_colab)
            if wanted.startswith(drive):
                os.makedirs(wanted, exist_ok=True)
                _link_hand_in(wanted, content)
            elif not os.path.isdir(wanted):
                raise
            original(wanted)

    os.chdir = chdir


def _make_what_is_named(source: str) -> None:
    """Make the folders of a Drive that a cell names, with the hand-in's files in them, and put MNIST's file
    where it is looked for: the code finds what its author had there.
    """
    with contextlib.suppress(OSError, ValueError):
        for path in _DRIVE_PATHS.findall(source):
            folder = os.path.dirname(path) if os.path.splitext(path)[1] else path
            os.makedirs(folder, exist_ok=True)
            _link_hand_in(folder, COLAB)
        for path in _MNIST_PATHS.findall(source):
            if os.path.isfile(_MNIST) and not os.path.lexists(path):
                os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
                link(_MNIST, path)


def register_magics(shell: Any) -> None:
    """Magics that Colab knows and IPython does not; `%cd` follows the Drive like `os.chdir`.

    In a room, what a cell names in a Drive is made before the cell runs.
    """

    def quiet(line: str) -> None:
        pass

    def no_page(line: str) -> None:
        print(_NO_PAGE)

    def load_extension(line: str) -> None:
        if line.strip() not in ("tensorboard", "google.colab.data_table", "tensorboard.notebook"):
            shell.extension_manager.load_extension(line.strip())

    if os.path.isdir(_KERAS) and os.path.isdir(f"{COLAB}/drive"):
        shell.events.register("pre_run_cell", lambda info: _make_what_is_named(info.raw_cell))
    shell.register_magic_function(quiet, magic_name="tensorflow_version")
    shell.register_magic_function(no_page, magic_name="tensorboard")
    shell.register_magic_function(load_extension, magic_name="load_ext")


class OursFirst:
    """Finds our `google.colab`, in the folder `lib`, also where Colab's own is installed.

    That one waits for a person at Colab's page.
    """

    def __init__(self, lib: str) -> None:
        self._folder = f"{lib}/google/colab"

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where `google.colab` is; nothing of any other module."""
        if name != "google.colab":
            return None
        file = f"{self._folder}/__init__.py"
        return spec_from_file_location(name, file, submodule_search_locations=[self._folder])


def answer_input(kernel: Any) -> None:
    """Answer `input()` with an empty line, as nobody is there; after some times, as at a file's end."""
    asked = 0

    def answer(prompt: object = "", *_: Any, **__: Any) -> str:
        nonlocal asked
        asked += 1
        if asked > _INPUTS:
            raise EOFError("nobody answers input() while a notebook is graded")
        print(prompt)
        return ""

    kernel.raw_input = kernel.getpass = answer
