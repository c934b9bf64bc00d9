"""Files that a notebook's code opens, writes or downloads."""

from __future__ import annotations

import pytest

from grader.notebook.code import CodeIndex
from grader.notebook.opened import Use, opened_files
from grader.notebook.records import Cell, CellKind

IMPORTS = """import gzip, h5py, joblib, os, pickle, torch, zipfile
import numpy as np, pandas as pd, tensorflow as tf
import matplotlib.pyplot as plt
from pathlib import Path
from PIL import Image
"""


def opened(*sources: str) -> list[tuple[str, str, int]]:
    cells = [Cell(number=n, kind=CellKind.CODE, source=s) for n, s in enumerate((IMPORTS, *sources), start=1)]
    return [(file.path, file.use.value, file.cell) for file in opened_files(CodeIndex(cells))]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ('x = np.load("train.npy")', "train.npy"),
        ("text = open('deu.txt', encoding='utf-8').read()", "deu.txt"),
        ("with open('data/deu.txt') as file: pass", "data/deu.txt"),
        ("df = pd.read_csv('results.csv', sep=';')", "results.csv"),
        ("df = pd.read_csv(filepath_or_buffer='results.csv')", "results.csv"),
        ("model.load_weights('best.h5')", "best.h5"),
        ("m = tf.keras.models.load_model('saved/model')", "saved/model"),
        ("d = pickle.load(open('d.pkl', 'rb'))", "d.pkl"),
        ("z = zipfile.ZipFile('images.zip')", "images.zip"),
        ("f = gzip.open('t10k.gz', 'rb')", "t10k.gz"),
        ("f = h5py.File('w.hdf5', 'r')", "w.hdf5"),
        ("i = Image.open(Path('bilder') / 'sieben.png')", "bilder/sieben.png"),
        ("FOLDER = '/content/drive/My Drive/'\nnp.load(FOLDER + 'x.npy')", "/content/drive/My Drive/x.npy"),
        ("base = 'data'\nnp.load(os.path.join(base, 'x.npy'))", "data/x.npy"),
        ("base = 'data'\nnp.load(f'{base}/x.npy')", "data/x.npy"),
        ("ds = tf.data.TextLineDataset('poem.txt')", "poem.txt"),
        (r"pd.read_csv('C:\\Users\\me\\x.csv')", "C:\\Users\\me\\x.csv"),
    ],
)
def test_a_file_that_is_opened_is_found(source, path):
    assert opened(source) == [(path, "read", 2)]


@pytest.mark.parametrize(
    "source",
    [
        "np.save('x.npy', x)",
        "open('log.txt', 'w').write('x')",
        "open('log.txt', mode='a')",
        "plt.savefig('curve.png')",
        "df.to_csv('out.csv')",
        "model.save_weights('w.h5')",
        "torch.save(model, 'm.pt')",
        "%%writefile helper.py\nx = 1",
        "!ls > files.txt",
        "z = zipfile.ZipFile('out.zip', 'w')",
    ],
)
def test_a_file_that_is_written_is_told_apart(source):
    assert [use for _, use, _ in opened(source)] == ["written"]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("!wget -q https://example.org/data.zip", "https://example.org/data.zip"),
        ("!wget https://example.org/d -O data.zip", "data.zip"),
        ("!gdown --id 123 -O weights.h5", "weights.h5"),
        ("pd.read_csv('https://example.org/a.csv')", "https://example.org/a.csv"),
        (
            "import urllib.request\nurllib.request.urlretrieve('http://example.org/a.gz', 'a.gz')",
            "a.gz",
        ),
    ],
)
def test_what_is_downloaded_is_told_apart(source, path):
    assert opened(source) == [(path, "downloaded", 2)]


@pytest.mark.parametrize(
    "source",
    [
        "np.load(name)",
        "open(sys.argv[1])",
        "import glob\nglob.glob('*.npy')",
        "name = 'a.npy'\nname = 'b.npy'\nnp.load(name)",
        "# np.load('x.npy')",
        "print('np.load(\"x.npy\")')",
        "tf.keras.datasets.mnist.load_data()",
        "def load(path): return np.load(path)",
    ],
)
def test_what_is_not_spelt_out_is_left_out(source):
    assert opened(source) == []


def test_files_stand_in_the_order_of_the_cells_each_once():
    found = opened("np.load('b.npy'); np.load('b.npy')", "np.load('a.npy')")
    assert found == [("b.npy", "read", 2), ("a.npy", "read", 3)]


def test_the_name_of_a_path_is_its_last_part_whichever_way_its_slashes_lean():
    [file] = opened_files(CodeIndex([Cell(number=1, kind=CellKind.CODE, source=r"open('C:\\data\\x.csv')")]))
    assert (file.name, file.use) == ("x.csv", Use.READ)
