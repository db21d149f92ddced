"""What waits for delivery, on disk: nothing that was written is lost, whenever the process or the machine dies."""

from __future__ import annotations

import fcntl  # Windows isn't supported: the files are locked by flock
import os
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from .rows import Record, Result, new_event_id


class Spool:
    """Records in append-only files: one for each process, locked while it lives. Each line has its checksum."""

    def __init__(self, folder: Path, sync: bool) -> None:
        self._folder, self._sync = folder, sync
        self._own: tuple[int, Path] | None = None
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def close(self) -> None:
        """Let others have the file that is written."""
        with self._lock:
            if self._own:
                release(self._own[0])
            self._own = None

    def begin_anew(self) -> None:
        """After a fork, leave the file that is written to the process that holds it."""
        if self._own:
            os.close(self._own[0])
        self._own, self._lock = None, threading.Lock()

    def append(self, records: Sequence[Record]) -> None:
        """Write records; they are all there when this returns."""
        if not records:
            return
        lines = [msgspec.json.encode(record) for record in records]
        with self._lock:
            while self._own is None:
                self._own = _locked(self._folder / f"{new_event_id()}.spool", os.O_CREAT)
                if self._sync:
                    sync(self._folder)
            self._write(self._own[0], b"".join(b"%08x %s\n" % (zlib.crc32(line), line) for line in lines))

    def take(self) -> Iterator[tuple[int, Path]]:
        """Take over the files that nobody holds, oldest first, and then our own; each is held until released."""
        for path in sorted(self._folder.glob("*.spool")):
            if found := _locked(path):
                yield found
        with self._lock:
            own, self._own = self._own, None
        if own:
            yield own

    def records(self) -> list[Record]:
        """Everything that waits in the folder."""
        while True:
            try:
                files = [path.read_bytes() for path in sorted(self._folder.glob("*.spool"))]
                return [record for content in files for record in parsed(content)[0]]
            except FileNotFoundError:
                continue  # delivered just now, and what was kept of it is in another file

    def set_aside(self, torn: Sequence[bytes], refused: Sequence[tuple[Record, Result]]) -> None:
        """Keep what can't be sent where a person finds it, with the reason."""
        lines = [{"torn": line.decode(errors="replace")} for line in torn] + [
            {"call": record.call, "row": record.row, "about": record.about, "answer": result}
            for record, result in refused
        ]
        if lines:
            fd = os.open(self._folder / "rejected.ndjson", os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                size = os.fstat(fd).st_size
                torn_before = size and os.pread(fd, 1, size - 1) != b"\n"
                content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
                self._write(fd, b"\n" + content if torn_before else content)
            finally:
                release(fd)

    def _write(self, fd: int, content: bytes) -> None:
        """Write all or nothing."""
        before, rest = os.fstat(fd).st_size, memoryview(content)
        try:
            while rest:
                rest = rest[os.write(fd, rest) :]
            if self._sync:
                os.fsync(fd)
        except OSError:
            os.ftruncate(fd, before)
            raise


def parsed(content: bytes) -> tuple[list[Record], list[bytes]]:
    """Return the records of a file, and the lines that a crash or the disk has torn."""
    records, torn = [], []
    for line in filter(None, content.split(b"\n")):
        checksum, _, text = line.partition(b" ")
        try:
            if checksum != b"%08x" % zlib.crc32(text):
                raise msgspec.DecodeError("torn")
            records.append(msgspec.json.decode(text, type=Record))
        except msgspec.DecodeError:
            torn.append(line)
    return records, torn


def release(fd: int) -> None:
    """Let others have a file, even where a forked process still has it open."""
    fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)


def sync(folder: Path) -> None:
    """Put the names of new files on the disk."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _locked(path: Path, flags: int = 0) -> tuple[int, Path] | None:
    """Open and lock a file that nobody holds."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_APPEND | flags, 0o600)
    except FileNotFoundError:
        if flags:
            raise
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_nlink:
            return fd, path
    except BlockingIOError:
        pass
    os.close(fd)
    return None
