"""Receipt paper: reads ESC/POS bytes back into what was printed, and a printer in the network that prints on it."""

import socket
import threading

import cv2
import numpy as np
from PIL import Image

READY = {1: 0x12, 4: 0x12}
OUT_OF_PAPER = {1: 0x12, 4: 0x72}
COVER_OPEN = {1: 0x1A, 4: 0x12}


def printed(raw: bytes) -> list[Image.Image]:
    """The pieces of paper that were cut off, white where nothing was burnt; ValueError for any other command."""
    sheets: list[Image.Image] = []
    rows: list[np.ndarray] = []
    at = 0
    while at < len(raw):
        if raw.startswith(b"\x1b@", at):
            at += 2
        elif raw.startswith((b"\x1bd", b"\x10\x04"), at):  # feed, status
            at += 3
        elif raw.startswith(b"\x1dv0\x00", at):
            width, height = (int.from_bytes(raw[at + 4 + 2 * one : at + 6 + 2 * one], "little") for one in (0, 1))
            burnt = np.frombuffer(raw[at + 8 : at + 8 + width * height], np.uint8).reshape(height, width)
            rows.append(np.unpackbits(burnt, axis=1))
            at += 8 + width * height
        elif raw.startswith(b"\x1dV", at):
            sheets.append(Image.fromarray(255 * (1 - np.concatenate(rows))))
            rows, at = [], at + 3
        else:
            raise ValueError(f"no command at {at}: {raw[at : at + 8]!r}")
    if rows:
        raise ValueError("not cut")
    return sheets


def scanned(picture: Image.Image) -> str:
    """What the QR code on it says."""
    text, _, _ = cv2.QRCodeDetectorAruco().detectAndDecode(np.array(picture.convert("L")))
    return text


class NetworkPrinter:
    """Listens on loopback; `status` has its answers by the number of the question, none when it is silent."""

    def __init__(self, status: dict[int, int]) -> None:
        self._status, self.taken = status, b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                while chunk := connection.recv(65536):
                    self.taken += chunk
                    if chunk[:2] == b"\x10\x04" and len(chunk) == 3 and chunk[2] in self._status:
                        connection.sendall(bytes([self._status[chunk[2]]]))

    def stop(self) -> bytes:
        """Ends it; returns all it was sent."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        return self.taken
