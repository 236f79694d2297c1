"""Writes docs/schemas: the JSON Schema (2020-12) of every claim set, made from the models that read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from device.wire.anchor import AnchorClaims
from device.wire.birth import BirthClaims
from device.wire.claims import ResultClaims
from device.wire.command import CommandClaims, ReplyClaims
from device.wire.enrolment import (
    ApprovalClaims,
    AuthorityClaims,
    BundleDocument,
    EnrolmentClaims,
    IdentityClaims,
    RequestDocument,
    Token,
)
from device.wire.evidence import EvidenceClaims, EvidencePack
from device.wire.fields import Claims
from device.wire.health import HealthClaims
from device.wire.receipt import ReceiptClaims
from device.wire.request import RequestClaims
from device.wire.update import UpdateClaims

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
CLAIM_SETS: dict[str, type[Claims]] = {
    "result": ResultClaims,
    "birth": BirthClaims,
    "request": RequestClaims,
    "receipt": ReceiptClaims,
    "command": CommandClaims,
    "reply": ReplyClaims,
    "health": HealthClaims,
    "evidence": EvidenceClaims,
    "evidence-pack": EvidencePack,
    "anchor": AnchorClaims,
    "enrolment": EnrolmentClaims,
    "approval": ApprovalClaims,
    "authority": AuthorityClaims,
    "identity": IdentityClaims,
    "enrolment-token": Token,
    "enrolment-request": RequestDocument,
    "enrolment-bundle": BundleDocument,
    "update": UpdateClaims,
}

# What a model says in code and not in its types.
RULES: dict[str, dict[str, Any]] = {
    "result": {
        "if": {"properties": {"offline": {"const": True}}},
        "then": {"properties": {"request": {"type": "null"}}},
        "else": {"properties": {"request": {"type": "object"}}, "required": ["request"]},
    },
    "enrolment-request": {
        "oneOf": [
            {"required": [voucher], "properties": {voucher: {"not": {"type": "null"}}}}
            for voucher in ("token", "approval")
        ]
    },
}


# Base64url without padding; the bits that the last character has to spare are zero (RFC 4648, section 3.5).
BASE64URL = "^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$"


class _ContractSchema(GenerateJsonSchema):
    """Bytes stand as base64url; no titles made from names."""

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        return {"type": "string", "contentEncoding": "base64url", "pattern": BASE64URL}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema(name: str) -> dict[str, Any]:
    """The schema of one claim set."""
    made = CLAIM_SETS[name].model_json_schema(schema_generator=_ContractSchema)
    _finish(made)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:likeness:v1:{name}"}
    return head | made | RULES.get(name, {})


def _finish(part: Any) -> None:
    """Lengths of characters instead of bytes; first sentences only; unknown members are ignored."""
    if isinstance(part, list):
        for entry in part:
            _finish(entry)
    if not isinstance(part, dict):
        return
    if part.get("type") == "object":
        part.pop("title", None)
        part.pop("additionalProperties", None)
    if "default" in part and part["default"] is None:
        del part["default"]
    if isinstance(part.get("description"), str):
        part["description"] = " ".join(part["description"].split("\n\n")[0].split())
    if part.get("contentEncoding") == "base64url":
        for limit in {"minLength", "maxLength"} & part.keys():
            part[limit] = -(-part[limit] * 4 // 3)
    for entry in part.values():
        _finish(entry)


def texts() -> dict[Path, str]:
    """Every file with its content."""
    return {SCHEMAS / f"{name}.json": json.dumps(schema(name), indent=2) + "\n" for name in CLAIM_SETS}


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text)
