"""Writes a card's boot partition, or a folder that is to be copied there. What is there and right is left alone."""

from __future__ import annotations

from pathlib import Path

from device.durable import replace_file
from device.wire.enrolment import EnrolmentError, Token, read_token
from provisioning.card.bookworm import command_line, custom_toml
from provisioning.card.plan import CardPlan
from provisioning.card.trixie import trixie_files
from provisioning.vault import ProvisioningError

HERE = Path(__file__).parent
SCRIPTS = ("first-run.sh", "install.sh", "likeness-first-run.service")
TOKEN = Path("likeness", "token")


def token_on(folder: Path) -> Token | None:
    """The token that the card holds already."""
    try:
        return read_token((folder / TOKEN).read_text())
    except (FileNotFoundError, EnrolmentError, UnicodeDecodeError):
        return None


def write_card(folder: Path, release: str, plan: CardPlan, token: Token, files: dict[str, bytes]) -> bool:
    """Writes it all, the token last; returns whether anything changed.

    Args:
        folder: the mounted boot partition.
        release: trixie or bookworm.
        plan: what the card is to be.
        token: what it enrols with.
        files: terminal.yaml and likeness.deb.
    """
    (folder / "likeness").mkdir(exist_ok=True)
    contents = {f"likeness/{name}": (HERE / name).read_bytes() for name in SCRIPTS}
    contents |= {f"likeness/{name}": content for name, content in files.items()}
    if release == "trixie":
        made = trixie_files(plan, f"likeness-{plan.terminal}-{token.id.hex()}")
        contents |= {name: text.encode() for name, text in made.items()}
    else:
        contents["custom.toml"] = custom_toml(plan).encode()
        contents["cmdline.txt"] = command_line(_command_line_of(folder)).encode()
    contents[str(TOKEN)] = token.text().encode() + b"\n"
    changed = [replace_file(folder / name, content, None) for name, content in contents.items()]
    return any(changed)


def _command_line_of(folder: Path) -> str:
    try:
        return (folder / "cmdline.txt").read_text()
    except (FileNotFoundError, UnicodeDecodeError):
        raise ProvisioningError(
            f"{folder}: holds no cmdline.txt: name the boot partition of a card with Pi OS bookworm"
        ) from None
