"""The way in: turns what Moodle or a TA hands over into the records that the rest of the program works on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from grader.intake.choice import Candidate, choose, is_notebook_name, look_at
from grader.intake.gathering import Gathered, gather, read_online_text
from grader.intake.handin import HandIn
from grader.intake.layout import find_hand_ins
from grader.intake.naming import shown, unique_ids
from grader.intake.walking import FoundFile, hash_regular_file, joined, listed, stage
from grader.model import Attachment, Rejected, Submission

MOST_ATTACHMENTS = 1_000
ATTACHED_BYTES = 1024**3
MOST_NOTEBOOKS = 50
_KINDS = {
    ".py": "a Python script",
    ".pdf": "a PDF",
    ".html": "a web page",
    ".htm": "a web page",
    ".doc": "a text document",
    ".docx": "a text document",
    ".odt": "a text document",
    ".txt": "a text file",
    ".md": "a text file",
    ".png": "an image",
    ".jpg": "an image",
    ".jpeg": "an image",
    ".zip": "a zip",
    ".rar": "an archive, but no zip",
    ".7z": "an archive, but no zip",
    ".gz": "an archive, but no zip",
    ".tar": "an archive, but no zip",
}


def read_submissions(
    path: Path, *, assignment: str | None = None, workspace: Path
) -> Iterator[Submission | Rejected]:
    """The hand-ins at `path`, one record each, ordered by assignment and name (`9` before `101`).

    `path` is a zip from Moodle, the same unpacked, a folder of notebooks, of hand-ins or of assignments,
    or one notebook. `assignment` is needed where no folder is named after one. Zips are unpacked, and
    files that lie scattered are copied, below `workspace`; a second call uses them again. A hand-in that
    cannot be graded is a `Rejected` and stops no other. `UsageError`, before the first record, when
    nothing there can be graded or its assignment is unknown.
    """
    workspace = workspace.absolute()
    return _records(find_hand_ins(path, assignment=assignment, workspace=workspace), workspace)


def _records(found: Sequence[HandIn], workspace: Path) -> Iterator[Submission | Rejected]:
    """One record per person and assignment, though a hand-in may lie there twice."""
    groups: dict[tuple[str, str, str | None], list[HandIn]] = {}
    for hand_in in found:
        key = (hand_in.assignment, hand_in.label, hand_in.participant.id)
        groups.setdefault(key, []).append(hand_in)
    for assignment in dict.fromkeys(key[0] for key in groups):
        keys = [key for key in groups if key[0] == assignment]
        for key, id_ in zip(keys, unique_ids([label for _, label, _ in keys]), strict=True):
            yield _only_one(groups[key], [_record(one, id_, workspace) for one in groups[key]])


def _only_one(hand_ins: Sequence[HandIn], records: Sequence[Submission | Rejected]) -> Submission | Rejected:
    """The record of hand-ins that go by one name: the first if they are all the same."""
    first = records[0]
    if all(_content(record) == _content(first) for record in records[1:]):
        return first
    places = listed([shown(Path(one.origin).name) for one in hand_ins])
    return Rejected(
        id=first.id,
        assignment=first.assignment,
        participant=first.participant,
        reason=f"“{shown(hand_ins[0].label)}” was found {len(records)} times with different contents, "
        f"in {places}: keep the hand-in that counts and remove the others.",
    )


def _content(record: Submission | Rejected) -> object:
    """Equal for two records of the same files."""
    if isinstance(record, Rejected):
        return record.reason
    attached = sorted((one.name, one.sha256) for one in record.attachments)
    return (record.notebook, record.notebook_sha256, attached, record.online_text)


def _record(hand_in: HandIn, id_: str, workspace: Path) -> Submission | Rejected:
    """Read one hand-in."""

    def rejected(reason: str) -> Rejected:
        return Rejected(id=id_, assignment=hand_in.assignment, participant=hand_in.participant, reason=reason)

    if hand_in.fault is not None:
        return rejected(hand_in.fault)
    online_text, text_remarks = read_online_text(hand_in.online_texts)
    gathered = gather(hand_in, workspace)
    if gathered.fault is not None:
        return rejected(gathered.fault)
    notebooks = [file for file in gathered.files if is_notebook_name(file.name)]
    candidates = [look_at(file) for file in notebooks[:MOST_NOTEBOOKS]]
    readable = [one for one in candidates if one.fault is None]
    faults = tuple(one.fault for one in candidates if one.fault is not None)
    if not readable:
        reason = " ".join(faults[:3]) or _nothing_to_grade(gathered, online_text)
        return rejected(" ".join((reason, *gathered.remarks)))
    choice = choose(readable, hand_in.assignment)
    known = {one.file.name: one.sha256 for one in readable}
    others = [file for file in gathered.files if file.name != choice.chosen.file.name]
    attachments, left_out = _attachments(others, known)
    folder = gathered.folder or _staged(gathered, choice.chosen, attachments, workspace)
    if folder is None:
        return rejected(
            "Its files have names that cannot be written here: hand it in with short, plain names."
        )
    remarks = (*choice.remarks, *faults, *gathered.remarks, *text_remarks, *left_out)
    return Submission(
        id=id_,
        assignment=hand_in.assignment,
        participant=hand_in.participant,
        folder=folder,
        notebook=choice.chosen.file.name,
        notebook_sha256=choice.chosen.sha256,
        attachments=attachments,
        online_text=online_text,
        remarks=remarks,
    )


def _attachments(
    files: Sequence[FoundFile], known: dict[str, str]
) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """The files as attachments, as many as the bounds allow, and remarks on those that were left out.

    `known` holds the hashes of files that were read already.
    """
    attachments: list[Attachment] = []
    left_out: list[str] = []
    total_bytes = 0
    for file in files:
        if len(attachments) == MOST_ATTACHMENTS or total_bytes + file.size_bytes > ATTACHED_BYTES:
            left_out.append(shown(file.name))
            continue
        try:
            digest = known.get(file.name) or hash_regular_file(file.path)
        except OSError:
            left_out.append(shown(file.name))
            continue
        total_bytes += file.size_bytes
        attachments.append(Attachment(name=file.name, size_bytes=file.size_bytes, sha256=digest))
    if not left_out:
        return tuple(attachments), ()
    remark = (
        f"Left out, because they cannot be read or are more than {MOST_ATTACHMENTS:,} files or "
        f"{ATTACHED_BYTES // 1024**3} GiB: {listed(left_out)}."
    )
    return tuple(attachments), (remark,)


def _staged(
    gathered: Gathered, chosen: Candidate, attachments: Sequence[Attachment], workspace: Path
) -> Path | None:
    """A folder of the hand-in's own with its notebook and its attachments; None as `stage` tells."""
    hashes = {one.name: one.sha256 for one in attachments} | {chosen.file.name: chosen.sha256}
    files = {file.name: (file, hashes[file.name]) for file in gathered.files if file.name in hashes}
    return stage(files, workspace)


def _nothing_to_grade(gathered: Gathered, online_text: str | None) -> str:
    """A sentence that says what was handed in instead of a notebook, and what to do."""
    if gathered.files:
        there = []
        for file in gathered.files:
            kind = _KINDS.get(PurePosixPath(file.name).suffix.casefold())
            there.append(f"“{shown(file.name)}”" + (f" ({kind})" if kind else ""))
        return (
            f"There is no notebook (.ipynb) in this hand-in, only {joined(there)}: "
            "hand in the notebook, with its outputs saved."
        )
    if online_text is not None:
        behind = ", and what lies behind a link is not fetched" if "http" in online_text else ""
        return (
            f"Only an online text of {len(online_text):,} characters was handed in, no notebook{behind}: "
            "hand in the notebook (.ipynb) as a file, with its outputs saved."
        )
    if gathered.remarks:
        return "Nothing in this hand-in can be read:"
    return "There is nothing in this hand-in: hand in the notebook (.ipynb) as a file."
