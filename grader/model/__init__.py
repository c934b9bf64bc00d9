"""The records that flow through the program, and their enums. Imports nothing of ours.

All records are frozen, validated when they are built, and serialise to JSON with
`model_dump_json()` and back with `model_validate_json()`. Points are `Decimal`; totals are derived.
Cells are counted from 1 over all cells of the notebook, as a reader counts them.
"""

from grader.model.grades import (
    CriterionGrade,
    Findings,
    Grade,
    Lateness,
    OnRerunFailure,
    Override,
    Scale,
    Visibility,
    plain_amount,
)
from grader.model.groups import Group, GroupDecision, hand_in_mark
from grader.model.hand_ins import Attachment, Participant, Rejected, Submission
from grader.model.record import Record
from grader.model.runs import (
    CPU,
    CellRun,
    CellStatus,
    DatasetOrigin,
    DatasetUse,
    GpuUse,
    Isolation,
    KerasFlavour,
    Limits,
    Mend,
    Run,
    RunStatus,
)
from grader.model.verdicts import (
    Outcome,
    Reason,
    Source,
    Verdict,
    met,
    needs_review,
    not_checked,
    not_met,
    partly_met,
)

__all__ = [
    "CPU",
    "Attachment",
    "CellRun",
    "CellStatus",
    "CriterionGrade",
    "DatasetOrigin",
    "DatasetUse",
    "Findings",
    "GpuUse",
    "Grade",
    "Group",
    "GroupDecision",
    "Isolation",
    "KerasFlavour",
    "Lateness",
    "Limits",
    "Mend",
    "OnRerunFailure",
    "Outcome",
    "Override",
    "Participant",
    "Reason",
    "Record",
    "Rejected",
    "Run",
    "RunStatus",
    "Scale",
    "Source",
    "Submission",
    "Verdict",
    "Visibility",
    "hand_in_mark",
    "met",
    "needs_review",
    "not_checked",
    "not_met",
    "partly_met",
    "plain_amount",
]
