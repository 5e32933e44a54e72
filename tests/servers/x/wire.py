"""The socket under an answer: chunks, and ends that are not polite."""

from __future__ import annotations

import array
import fcntl
import select
import socket
import struct
import termios
import threading
import time

from tests.servers.answering import QuietHandler

_LOOK_SECONDS = 0.02
_DELIVERY_SECONDS = 5.0


class Wire:
    """What a handler needs of its connection besides plain answers.

    Args:
        is_closed: set when the server ends.
    """

    def __init__(self, handler: QuietHandler, is_closed: threading.Event) -> None:
        self._handler, self._is_closed = handler, is_closed

    def begin(self, headers: dict[str, str]) -> None:
        """200, and a body in chunks."""
        self._handler.send_head(200, headers | {"transfer-encoding": "chunked"})

    def send(self, content: bytes) -> None:
        """One chunk.

        Raises:
            OSError: the client is gone.
        """
        self.insist()
        self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))

    def insist(self) -> None:
        """Go on only with a client that is still there.

        Raises:
            OSError: it is gone.
        """
        if self.is_gone():
            raise ConnectionAbortedError("the client has left")

    def finish(self) -> None:
        """The last chunk, then the end of the connection."""
        self._handler.wfile.write(b"0\r\n\r\n")
        self._handler.close_connection = True

    def is_gone(self) -> bool:
        """Has the client closed its side?"""
        connection = self._handler.connection
        try:
            if not select.select([connection], [], [], 0)[0]:
                return False
            return not connection.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):  # reset, or closed by us
            return True

    def is_closing(self) -> bool:
        return self._is_closed.is_set()

    def wait_gone(self, seconds: float = float("inf")) -> None:
        """Say nothing until the client leaves, the server ends, or that time is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.is_gone() and not self._is_closed.wait(_LOOK_SECONDS):
            pass

    def drop(self, *, resets: bool) -> None:
        """End without the last chunk, by RST or FIN, once all that was sent has arrived: it counts as delivered."""
        connection = self._handler.connection
        until = time.monotonic() + _DELIVERY_SECONDS
        while _waiting(connection) and time.monotonic() < until:
            time.sleep(0.001)
        if resets:
            # A linger of zero seconds sends RST in place of FIN.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_RDWR)
        self._handler.close_connection = True
        connection.close()


def _waiting(connection: socket.socket) -> int:
    """Bytes that the other side has not yet taken."""
    count = array.array("i", [0])
    fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, count)
    return count[0]
