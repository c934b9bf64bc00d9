"""The gradebook: every grade and every decision of a course, with their history, in one SQLite file."""

from grader.gradebook.changes import CriterionChange, GradeChange
from grader.gradebook.decisions_csv import read_decisions
from grader.gradebook.records import DecisionChanges, DecisionEvent, GradeState, Release
from grader.gradebook.store import Gradebook

__all__ = [
    "CriterionChange",
    "DecisionChanges",
    "DecisionEvent",
    "GradeChange",
    "GradeState",
    "Gradebook",
    "Release",
    "read_decisions",
]
