"""Prints a picture on an ESC/POS receipt printer within a time limit: python-escpos writes, this sends."""

from __future__ import annotations

import os
import select
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from device.slip.settings import FilePrinter, NetworkPrinter, Printer, UsbPrinter

if TYPE_CHECKING:
    from PIL import Image

LIMIT_S = 10.0
CONNECT_S = 3.0
STATUS_S = 0.5
USB_PRINTERS, USB_NODES = Path("/sys/class/usbmisc"), Path("/dev/usb")
"""Where the kernel's driver (usblp) tells of its printers, and where it puts them."""
_CHUNK = 4096
_FRAGMENT_DOTS = 256
"""Cheap printers hold no more of a picture at once."""
_OFFLINE = 0x08
_STATUS_BITS, _STATUS = 0x93, 0x12
"""What every answer to a question for the printer's state has in common."""


class PrinterError(RuntimeError):
    """The printer did not take it; the message is one line that says what to do."""


def print_picture(printer: Printer, picture: Image.Image) -> None:
    """Prints and cuts; raises PrinterError."""
    raw = escpos(picture)
    deadline = time.monotonic() + LIMIT_S
    try:
        with _opened(printer) as descriptor:
            _check_paper(descriptor, deadline)
            _write(descriptor, raw, deadline)
    except OSError as error:
        raise _away(printer, error) from None


def answers(printer: Printer) -> bool:
    """Whether it says that it is ready; False when it says nothing. Raises PrinterError when it is not ready."""
    try:
        with _opened(printer) as descriptor:
            return _check_paper(descriptor, time.monotonic() + LIMIT_S)
    except OSError as error:
        raise _away(printer, error) from None


def escpos(picture: Image.Image) -> bytes:
    """The bytes that print a picture and cut the paper."""
    from escpos import capabilities  # noqa: PLC0415  it reads its list of printers for a third of a second
    from escpos.printer import Dummy  # noqa: PLC0415

    shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)  # it leaves a folder behind at each start
    printer = Dummy()
    # Else it complains on standard output that it does not know the width.
    printer.profile.profile_data = printer.profile.profile_data | {"media": {"width": {"pixels": picture.width}}}
    printer.hw("INIT")
    printer.image(picture, fragment_height=_FRAGMENT_DOTS)
    printer.cut()
    raw: bytes = printer.output
    return raw


def _away(printer: Printer, error: OSError) -> PrinterError:
    match printer:
        case UsbPrinter(id=name):
            pass
        case NetworkPrinter(host=host, port=port):
            name = f"{host}:{port}"
        case FilePrinter(path=path):
            name = str(path)
    reason = "does not answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
    return PrinterError(f"printer {name}: {reason}: check its power and cable")


@contextmanager
def _opened(printer: Printer) -> Iterator[int]:
    """A descriptor that never blocks."""
    if isinstance(printer, NetworkPrinter):
        with socket.create_connection((printer.host, printer.port), CONNECT_S) as connection:
            connection.setblocking(False)
            yield connection.fileno()
            _hang_up(connection)
        return
    path = _usb_node(printer.id) if isinstance(printer, UsbPrinter) else printer.path
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _hang_up(connection: socket.socket) -> None:
    """Waits until the printer hangs up, too: closed over an answer that nobody read, the kernel takes back the rest."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(CONNECT_S)
        while connection.recv(256):
            pass


def _usb_node(wanted: str) -> Path:
    """The device file of the printer with that vendor and product."""
    for node in sorted(USB_PRINTERS.glob("lp*")):
        device = (node / "device").resolve().parent
        try:
            found = ":".join((device / name).read_text().strip() for name in ("idVendor", "idProduct"))
        except OSError:
            continue  # unplugged just now
        if found == wanted:
            return USB_NODES / node.name
    raise OSError("is not plugged in")


def _check_paper(descriptor: int, deadline: float) -> bool:
    """Asks the printer, and raises PrinterError when it is not ready; returns False for one that tells nothing.

    A picture that ends half-way on the paper's end would swallow the beginning of the next.
    """
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)):
        return False
    from escpos.constants import RT_MASK_NOPAPER, RT_STATUS_ONLINE, RT_STATUS_PAPER  # noqa: PLC0415

    online = _ask(descriptor, RT_STATUS_ONLINE, deadline)
    paper = None if online is None else _ask(descriptor, RT_STATUS_PAPER, deadline)
    if paper is not None and paper & RT_MASK_NOPAPER == RT_MASK_NOPAPER:
        raise PrinterError("the printer is out of paper: put in a new roll")
    if online is not None and online & _OFFLINE:
        raise PrinterError("the printer is not ready: close its cover, look at its lights")
    return online is not None


def _ask(descriptor: int, question: bytes, deadline: float) -> int | None:
    """One byte that the printer answers at once, even while it prints; None without an answer."""
    _write(descriptor, question, deadline)
    ready, _, _ = select.select([descriptor], [], [], STATUS_S)
    if not ready:
        return None
    answer = os.read(descriptor, 16)
    return answer[-1] if answer and answer[-1] & _STATUS_BITS == _STATUS else None


def _write(descriptor: int, raw: bytes, deadline: float) -> None:
    """Writes all, and waits until the kernel has handed it over: usblp forgets the rest when it is closed."""
    while True:
        _, ready, _ = select.select([], [descriptor], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise PrinterError(f"the printer takes nothing for {LIMIT_S:g} s: check paper, cover and power")
        if not raw:
            return
        raw = raw[os.write(descriptor, raw[:_CHUNK]) :]
