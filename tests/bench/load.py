"""Load: requests over connections that are kept, and how long each answer took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Load:
    """What one round came to."""

    seconds: float = 0.0
    errors: int = 0
    took: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds

    def quantile(self, share: float) -> float:
        """Seconds within which that share was answered."""
        return float(np.quantile(self.took, share))

    def __add__(self, other: Load) -> Load:
        return Load(self.seconds + other.seconds, self.errors + other.errors, self.took + other.took)


def request(port: int, path: str, key: str, body: bytes) -> bytes:
    """One POST as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def drive(
    port: int, next_request: Callable[[], bytes], proof: bytes, *, connections: int = 16, seconds: float = 2.0
) -> Load:
    """Send requests for so long, one after the other on each connection; no proof in an answer is an error."""
    return asyncio.run(_drive(port, next_request, proof, connections, seconds))


async def _drive(port: int, next_request: Callable[[], bytes], proof: bytes, connections: int, seconds: float) -> Load:
    load = Load()
    began = time.perf_counter()

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < began + seconds:
            sent = next_request()
            start = time.perf_counter()
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            content = await reader.readexactly(length)
            load.took.append(time.perf_counter() - start)
            load.errors += not head.startswith(b"HTTP/1.1 200") or proof not in content
        writer.close()

    await asyncio.gather(*(send() for _ in range(connections)))
    load.seconds = time.perf_counter() - began
    return load
