"""What a browser sends along, within bounds; and the files that are served as they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.staticfiles import StaticFiles


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields of a form, and its file."""

    fields: dict[str, str] = field(default_factory=dict)
    upload: bytes = field(default=b"", repr=False)


async def read_form(request: Request, max_bytes: int, *, max_fields: int = 16, max_files: int = 0) -> Sent:
    """The form of a request; raises HTTPException."""
    async with request.form(max_fields=max_fields, max_files=max_files, max_part_size=max_bytes) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        return Sent(fields, await files[0].read() if files else b"")


def static_files(package: str) -> StaticFiles:
    """The files of an application, and those that all of them share."""
    return StaticFiles(packages=[(package, "static"), ("central.web", "static")])
