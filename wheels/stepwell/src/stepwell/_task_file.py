"""Tasks as portable files: verify one, look at it, put it back to any entry, play it on.

Not here: writing one (Task.export), and what the text is (docs/reference/task-file.md).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Optional

from ._audit import _anchors, _note, _notes, _vkeys
from ._binding import core

if TYPE_CHECKING:
    from ._audit import Anchors, Checkpoint, Checkpoints, FilePath, Keys
    from .engine import Engine
    from .task import Task


class TaskFile:
    """A task away from its database.

    text is the file, JSON; source its name, for messages. Nothing of it is looked at before it is
    verified or opened.
    """

    __slots__ = ("text", "source")

    def __init__(self, text: str, *, source: Optional[str] = None) -> None:
        self.text = text
        self.source = source

    def __repr__(self) -> str:
        return f"<TaskFile {self.source or f'{len(self.text)} characters'}>"

    @classmethod
    def read(cls, path: FilePath) -> TaskFile:
        """The file at path, as Task.export wrote it."""
        name = os.fspath(path)
        with open(name, encoding="utf-8", newline="") as file:
            return cls(file.read(), source=name)

    @classmethod
    def of(
        cls, task: Task, path: Optional[FilePath], checkpoint: Optional[Checkpoint]
    ) -> TaskFile:
        """What Task.export answers."""
        name = None if path is None else os.fspath(path)
        note = None if checkpoint is None else _note(checkpoint)
        return cls(task.engine.task_export(task.id, note, name), source=name)

    def verify(
        self, *, vkeys: Keys = (), checkpoints: Checkpoints = (), anchors: Anchors = ()
    ) -> core.AuditReport:
        """Recompute every proof, replay the entries and hold states and payloads against them:
        level "integrity". With keys, the checkpoint in the file must be signed by one of them, and
        agree with checkpoints given that are of the same size: level "signed"; with anchors,
        also with what lies outside: level "anchored". That no entry was left out it does not show; Audit.verify of the whole log does.

        Raises AuditError with the attribute report, InvalidArgumentError when it is no task file;
        the message has file:line:column.
        """
        return core.Engine.task_file_verify(
            self.text,
            self.source,
            _notes(checkpoints),
            _vkeys(vkeys),
            _anchors(anchors, vkeys),
        )

    @property
    def verified(self) -> bool:
        """Whether it verifies without a key; verify says more."""
        try:
            return self.verify().ok
        except core.AuditError:
            return False

    def open(self, *, at_entry: Optional[int] = None) -> Engine:
        """An engine in memory that has this task and nothing else, at the moment of the export or
        after an entry of the log. Its clock goes on from there; nothing that is done in it leaves
        the process. The file is verified first, as far as that needs no key.

        Raises AuditError or InvalidArgumentError as verify does, NotFoundError when the task had
        no such entry.
        """
        from .engine import Engine

        return Engine.task_file_open(self.text, self.source, at_entry)

    def task(self, *, at_entry: Optional[int] = None) -> Task:
        """The task, in an engine of its own; at_entry as for open."""
        return next(iter(self.open(at_entry=at_entry).tasks()))
