"""References: notebooks with known verdicts, and mutants of them, which are kept as edits in YAML.

`reference_solutions/<assignment>/` holds `solution.ipynb`, `variants/*.ipynb`, `controls/*.ipynb`,
`mutants/*.yaml`, and `references.yaml` with what is true of all of them. Cells are counted from 1, as in the
reports.
"""

from grader.references.editing import edited, load_notebook, notebook_of, source_of, with_outputs_of
from grader.references.reading import is_reference, read_reference
from grader.references.records import LOST, Edit, Expected, Notebook, Reference

__all__ = [
    "LOST",
    "Edit",
    "Expected",
    "Notebook",
    "Reference",
    "edited",
    "is_reference",
    "load_notebook",
    "notebook_of",
    "read_reference",
    "source_of",
    "with_outputs_of",
]
