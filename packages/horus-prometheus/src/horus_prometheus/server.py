"""The HTTP server: on one address, on a thread of its own, until it is closed."""

from __future__ import annotations

import os
import selectors
import socket
import threading
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any

from prometheus_client import MetricsHandler

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

_LOOK_S = 0.5
_END_S = 1.0
_SILENCE_S = 10.0
"""How long a client may say nothing."""


class _Listener(ThreadingHTTPServer):
    timeout = 0  # handle_request() is called when there is one
    daemon_threads = True

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of the host's full name, which may take a name server seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.socket.setblocking(False)  # who connected may be gone again before accept()


class _Listener6(_Listener):
    address_family = socket.AF_INET6


class Server:
    """Answers every GET with the metrics of a registry."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, look: Callable[[], object]) -> None:
        """`look` is called twice a second, on the server's thread. Raises OSError for a bad address."""
        handler: Any = MetricsHandler.factory(registry)
        handler.timeout = _SILENCE_S
        self._http = (_Listener6 if ":" in host else _Listener)((host, port), handler)
        self._look = look
        self._wake, self._woken = os.pipe()
        self._thread = threading.Thread(target=self._run, name="horus prometheus", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Free the port. From any thread, once."""
        os.close(self._woken)
        if self._thread is not threading.current_thread():
            self._thread.join(_END_S)

    def abandon(self) -> None:
        """For a forked child: let go of the descriptors, there is no thread."""
        self._http.socket.close()
        os.close(self._wake)
        os.close(self._woken)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._http.socket, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)  # at its end, when the other one is closed
            while True:
                ready = {key.fd for key, _ in selector.select(_LOOK_S)}
                if self._wake in ready:
                    break
                if ready:
                    self._http.handle_request()  # a thread of its own answers
                self._look()
        self._http.server_close()
        os.close(self._wake)
