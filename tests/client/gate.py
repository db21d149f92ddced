"""A gate on the way to a server: shut it and the server is away, or let it lose answers that were given."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread


class Gate:
    """Forwards connections from a port of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.server = (host, port)
        self.port = 0
        self.calls = 0
        self.on_answer: Callable[[], bool] = lambda: True
        self.open()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self.connections: list[socket.socket] = []
        self.door = socket.create_server(("127.0.0.1", self.port))
        self.port = self.door.getsockname()[1]
        Thread(target=self._accept, args=[self.door], daemon=True).start()

    def shut(self) -> None:
        # a thread that waits in accept keeps a closed socket listening
        self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()
        for connection in self.connections:
            _end(connection)

    def _accept(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                caller, _ = door.accept()
                server = socket.create_connection(self.server)
                self.connections += [caller, server]
                Thread(target=self._forward, args=[caller, server], daemon=True).start()
                Thread(target=self._return, args=[server, caller], daemon=True).start()

    def _forward(self, caller: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while content := caller.recv(65536):
                self.calls += content.startswith(b"POST ")
                server.sendall(content)
        _end(server)

    def _return(self, server: socket.socket, caller: socket.socket) -> None:
        with suppress(OSError):
            while (content := server.recv(65536)) and self.on_answer():
                caller.sendall(content)
        _end(caller)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
