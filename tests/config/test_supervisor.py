"""The supervisor's port."""

from __future__ import annotations

import socket

from impact.config.supervisor import claim, is_free

HOST = "127.0.0.1"


def test_a_claimed_port_is_taken_before_anybody_listens() -> None:
    with claim(HOST, 0) as claimed:
        port = claimed.getsockname()[1]
        assert not is_free(HOST, port)
    assert is_free(HOST, port)


def test_the_web_server_may_listen_on_a_claimed_port() -> None:
    with claim(HOST, 0) as claimed, socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(claimed.getsockname())
        server.listen()
        with socket.create_connection(claimed.getsockname(), timeout=5) as client:
            accepted, _ = server.accept()
            accepted.sendall(b"here")
            accepted.close()
            assert client.recv(4) == b"here"
