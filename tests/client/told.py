"""A small server that answers what it is told to, and else accepts every row."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from impact_client.wire import Wire

# status, Retry-After, content
Reply = tuple[int, str, bytes]
WELL: Reply = (200, "", b"")
SILENCE: Reply = (0, "", b"")


class Told(ThreadingHTTPServer):
    """Gives its replies in order, the last for ever, and notes when it was asked and by which connection."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.replies: list[Reply] = [WELL]
        self.asked: list[float] = []
        self.ports: set[int] = set()
        self.hangs_up = False

    def wire(self, attempts: int = 3) -> Wire:
        return Wire(self.address, "imp_k", attempts, 0.0)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Told

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(time.monotonic())
        self.server.ports.add(self.client_address[1])
        reply = self.server.replies.pop(0) if self.server.replies[1:] else self.server.replies[0]
        if reply == SILENCE:
            time.sleep(1)
            self.close_connection = True
            return
        status, retry_after, content = reply
        content = (
            content or json.dumps({"results": [{"status": "accepted"} for _ in next(iter(body.values()))]}).encode()
        )
        self.send_response(status)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.server.hangs_up

    def log_message(self, format: str, *arguments: object) -> None:
        pass
