"""Files that clients send and fetch: kept by their digest, written to one side and then moved into their place."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from django.conf import settings

from workspaces.errors import Refusal
from workspaces.models import Job, Workspace

LARGEST = 32 * 1024 * 1024
READ_BYTES = 64 * 1024
DRAFT = ".draft-"
SENT = ".sent"


def folder(workspace: Workspace) -> Path:
    found: Path = settings.DATA_DIR / "files" / workspace.key
    found.mkdir(parents=True, exist_ok=True)
    return found


def sent_file(workspace: Workspace, sha256: str) -> Path:
    """Where a file that was sent is kept."""
    return folder(workspace) / f"{sha256}{SENT}"


def answer_file(job: Job) -> Path:
    """Where the file that a job makes is put once it is complete."""
    return folder(job.workspace) / f"{job.pk}.csv"


@contextmanager
def received(workspace: Workspace, chunks: Iterable[bytes], largest: int | None = None) -> Iterator[tuple[Path, str]]:
    """Write down what comes in and give it with its SHA-256; whoever wants to keep it moves it."""
    digest, size, largest = hashlib.sha256(), 0, largest or LARGEST
    with tempfile.NamedTemporaryFile(dir=folder(workspace), prefix=DRAFT, delete=False) as draft:
        path = Path(draft.name)
        try:
            for chunk in chunks:
                size += len(chunk)
                if size > largest:
                    raise Refusal(
                        "too-large", f"The file is larger than {largest // 1024**2} MiB; send it in several files."
                    )
                digest.update(chunk)
                draft.write(chunk)
            settle(draft)
            yield path, digest.hexdigest()
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def written(
    path: Path, *, encoding: str, moving: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Iterator[IO[str]]:
    """Open a file to be written that is seen whole or not at all; ``moving`` is around the move alone."""
    prefix = f"{DRAFT}{path.stem}-"
    for left_behind in path.parent.glob(f"{prefix}*"):
        left_behind.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=prefix, delete=False, encoding=encoding, newline=""
    ) as draft:
        try:
            yield draft
            settle(draft)
            with moving():
                os.replace(draft.name, path)
        finally:
            Path(draft.name).unlink(missing_ok=True)


def settle(file: IO[bytes] | IO[str]) -> None:
    """Make sure that a power cut after the move can't leave an empty file behind."""
    file.flush()
    os.fsync(file.fileno())


def harmless(text: str) -> str:
    """A cell that a spreadsheet won't take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
