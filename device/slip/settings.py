"""What the configuration says about the customer's slip."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from device.panel.catalogue import LANGUAGES
from device.settings import Settings

LONGEST_ADDRESS = 100
"""So that the QR code keeps modules that a phone reads from narrow paper."""


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{str(path)!r:.60} begins nowhere: write the whole path, from /")
    return path


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class UsbPrinter(Settings):
    """A printer at USB, whichever number the kernel gives it; `id` is what lsusb says, such as 04b8:0e15."""

    kind: Literal["usb"]
    id: str

    @field_validator("id")
    @classmethod
    def _vendor_and_product(cls, text: str) -> str:
        if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", text.lower()):
            raise ValueError(f"{text!r:.20} is no vendor and product: write them as lsusb does, 04b8:0e15")
        return text.lower()


class NetworkPrinter(Settings):
    """A printer in the outlet's own network."""

    kind: Literal["network"]
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 9100

    @field_validator("host")
    @classmethod
    def _host_is_a_name(cls, host: str) -> str:
        try:
            host.encode("idna")  # what a connection would fail on: an empty or an endless part
        except UnicodeError:
            host = ""
        if not re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", host):
            raise ValueError("is neither a host name nor an address: mend it")
        return host


class FilePrinter(Settings):
    """A device file that takes the printer's bytes, such as /dev/usb/lp0."""

    kind: Literal["file"]
    path: AbsolutePath


Printer: TypeAlias = UsbPrinter | NetworkPrinter | FilePrinter


class SlipSettings(Settings):
    """The slip that each session ends with.

    Attributes:
        address: where customers look their slip up, as it stands on the paper.
        printer: an ESC/POS receipt printer.
        paper_mm: the width of its paper.
        picture: the file, in memory, that a screen at the counter shows.
        picture_s: after how many seconds it is removed; the next session removes it, too.
        language: while no voice speaks; without it the voice's first, or English.
    """

    address: str
    printer: Annotated[Printer | None, Field(discriminator="kind")] = None
    paper_mm: Literal[58, 80] = 80
    picture: AbsolutePath | None = None
    picture_s: Annotated[float, Field(ge=5, le=3600)] = 60.0
    language: str | None = None

    @field_validator("address")
    @classmethod
    def _address_can_be_typed(cls, address: str) -> str:
        try:
            parts = urlsplit(address)
            whole = parts.scheme == "https" and parts.hostname and parts.port != 0
        except ValueError:
            whole = False
        if not whole or not address.isascii() or not address.isprintable() or " " in address:
            raise ValueError(f"{address!r:.60} is no address: write it as https://check.example.org")
        if parts.query or parts.fragment or "?" in address or "#" in address or "@" in parts.netloc:
            raise ValueError("the code is put behind the address: remove ?, # and @ from it")
        if len(address) > LONGEST_ADDRESS:
            raise ValueError(f"longer than {LONGEST_ADDRESS} characters, which nobody types: shorten it")
        return address.rstrip("/")

    @field_validator("language")
    @classmethod
    def _language_is_known(cls, language: str | None) -> str | None:
        if language is not None and language not in LANGUAGES:
            raise ValueError(f"{language!r:.20} is not written here: choose from {', '.join(LANGUAGES)}")
        return language

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.printer is None and self.picture is None:
            raise ValueError("a slip needs paper or a screen: add printer or picture")
        return self
