from __future__ import annotations

import hashlib
import stat

import numpy as np
import pytest

from grader.datasets.finding import read_images
from grader.datasets.withheld import (
    KNOWN,
    NOISED,
    SHIFTED,
    WITHHELD,
    course_secret,
    public_split,
    read_key,
    split_dataset,
)
from grader.errors import DatasetError

SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def split(stand_in, tmp_path_factory):
    return split_dataset(stand_in, SECRET, tmp_path_factory.mktemp("splits"))


def rows(images):
    return {image.tobytes() for image in images}


def test_the_room_gets_a_set_of_the_same_form(split, stand_in, stand_in_images):
    inside = read_images(split.inside)
    for ours, theirs in zip(inside, stand_in_images, strict=True):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    assert [name for name, _ in split.inside.files] == [name for name, _ in stand_in.files]
    assert split.inside.origin is stand_in.origin
    assert np.array_equal(inside.x_test, stand_in_images.x_test)
    assert np.array_equal(inside.y_test, stand_in_images.y_test)


def test_withheld_images_are_nowhere_in_the_room_and_their_labels_are_right(split, stand_in_images):
    inputs, key = np.load(split.inputs), read_key(split.key)
    assert np.bincount(key.kinds).tolist() == [WITHHELD, SHIFTED, NOISED, KNOWN]
    withheld = inputs[key.kinds == 0]
    inside = read_images(split.inside)
    assert not rows(withheld) & (rows(inside.x_train) | rows(inside.x_test))
    label_of = {x.tobytes(): y for x, y in zip(stand_in_images.x_train, stand_in_images.y_train, strict=True)}
    assert [label_of[image.tobytes()] for image in withheld] == key.labels[key.kinds == 0].tolist()


def test_known_images_are_in_the_room_with_their_labels(split):
    inputs, key = np.load(split.inputs), read_key(split.key)
    inside = read_images(split.inside)
    label_of = {x.tobytes(): y for x, y in zip(inside.x_train, inside.y_train, strict=True)}
    known = inputs[key.kinds == 3]
    assert [label_of[image.tobytes()] for image in known] == key.labels[key.kinds == 3].tolist()


def test_altered_copies_are_near_and_not_the_same(split, stand_in_images):
    inputs, key = np.load(split.inputs).astype(int), read_key(split.key)
    originals = inputs[key.kinds == 0].reshape(WITHHELD, -1)
    for noised in inputs[key.kinds == 2][:20].reshape(20, -1):
        nearest = np.abs(originals - noised).max(axis=1).min()
        assert 0 < nearest <= 20
    everything = rows(stand_in_images.x_train)
    shifted = np.load(split.inputs)[key.kinds == 1]
    assert len(rows(shifted) - everything) > 0.9 * SHIFTED


def test_the_duplicates_keep_their_own_labels(split, stand_in_images):
    inside = read_images(split.inside)
    changed = np.flatnonzero((inside.x_train != stand_in_images.x_train).any(axis=(1, 2)))
    assert len(changed) == WITHHELD
    label_of = {x.tobytes(): y for x, y in zip(stand_in_images.x_train, stand_in_images.y_train, strict=True)}
    assert all(label_of[inside.x_train[i].tobytes()] == inside.y_train[i] for i in changed[:200])


def test_the_same_secret_gives_the_same_bytes_another_one_another_split(split, stand_in, tmp_path):
    again = split_dataset(stand_in, SECRET, tmp_path / "a")
    other = split_dataset(stand_in, bytes(32), tmp_path / "b")
    assert again.inside.sha256 == split.inside.sha256
    assert again.inputs.read_bytes() == split.inputs.read_bytes()
    assert other.inside.sha256 != split.inside.sha256


PUBLIC_INPUTS = {  # SHA-256 of the images and their labels, of the stand-ins
    "mnist": "dc1c316586c81cf8be3567a2e84a2eb015d012778b88589dc356cc07151f514e",
    "fashion_mnist": "428af6176f849998e09a66519e5299a75d7652a062da2495056d8dd27334598c",
}


def test_the_public_split_is_the_same_on_every_machine_and_no_courses_own(stand_in, split, tmp_path):
    public = public_split(stand_in, tmp_path / "one")
    images = np.load(public.inputs)
    found = hashlib.sha256(images.tobytes() + read_key(public.key).labels.tobytes()).hexdigest()
    assert found == PUBLIC_INPUTS[stand_in.name]
    assert public.inside.sha256 != split.inside.sha256
    withheld = [rows(np.load(s.inputs)[read_key(s.key).kinds == 0]) for s in (public, split)]
    assert len(withheld[0] & withheld[1]) < WITHHELD / 5, "no more in common than by chance, which is a 12th"


@pytest.mark.parametrize("which", ["inputs", "key"])
def test_a_damaged_split_is_made_anew(stand_in, split, tmp_path, which):
    made = split_dataset(stand_in, SECRET, tmp_path)
    getattr(made, which).write_bytes(b"damage")
    mended = split_dataset(stand_in, SECRET, tmp_path)
    assert np.array_equal(np.load(mended.inputs), np.load(split.inputs))
    assert np.array_equal(read_key(mended.key).labels, read_key(split.key).labels)


def test_damaged_files_for_the_room_are_made_anew(stand_in, split, tmp_path):
    made = split_dataset(stand_in, SECRET, tmp_path)
    made.inside.files[0][1].write_bytes(b"damage")
    assert split_dataset(stand_in, SECRET, tmp_path).inside.sha256 == split.inside.sha256


def test_the_key_is_for_its_owner_only(split):
    assert stat.S_IMODE(split.key.parent.stat().st_mode) == 0o700
    assert all(split.key.parent not in path.parents for _, path in split.inside.files)


def test_a_course_keeps_its_secret(tmp_path):
    secret = course_secret(tmp_path / "state")
    assert len(secret) == 32
    assert course_secret(tmp_path / "state") == secret
    assert course_secret(tmp_path / "other") != secret
    assert stat.S_IMODE((tmp_path / "state" / "split-secret").stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["split-secret"]


def test_a_damaged_secret_is_told_with_the_mend(tmp_path):
    (tmp_path / "split-secret").write_bytes(b"short")
    with pytest.raises(DatasetError, match="put the old file back"):
        course_secret(tmp_path)
