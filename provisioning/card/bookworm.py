"""Pi OS bookworm: custom.toml for name, login and Wi-Fi, and a first run by the kernel's command line.

Sources: raspberrypi-sys-mods, `init_config` (the fields of custom.toml) and `firstboot`; systemd-run-generator(8).
Packages are named in the command line's script, as bookworm has no cloud-init.
"""

from __future__ import annotations

import json

from provisioning.card.plan import CardPlan
from provisioning.vault import ProvisioningError

RUN = "systemd.run=/boot/firmware/likeness/install.sh"
REST = "systemd.run_success_action=reboot systemd.unit=kernel-command-line.target"


def custom_toml(plan: CardPlan) -> str:
    """Returns custom.toml, which Pi OS itself removes after its first boot."""
    lines = ["config_version = 1", "", "[system]", f"hostname = {_string(plan.terminal)}"]
    if plan.technician_key is not None:
        # A password that no password has as its hash: the key alone lets in.
        lines += ["", "[user]", 'name = "technician"', 'password = "*"', "password_encrypted = true"]
        lines += ["", "[ssh]", "enabled = true", "password_authentication = false"]
        lines += [f"authorized_keys = [{_string(plan.technician_key)}]"]
    if plan.wifi is not None:
        lines += ["", "[wlan]", f"ssid = {_string(plan.wifi.ssid)}", f"password = {_string(plan.wifi.key)}"]
        lines += ["password_encrypted = true", "hidden = false", f"country = {_string(plan.wifi.country)}"]
    return "\n".join(lines) + "\n"


def command_line(before: str) -> str:
    """Returns the kernel's command line with the first run; the same when it is there already."""
    words = before.split()
    if not any(word.startswith("root=") for word in words):
        raise ProvisioningError("cmdline.txt is no kernel command line: name the boot partition of a Pi OS card")
    if RUN in words:
        return before
    if any(word.startswith(("systemd.run=", "systemd.unit=")) for word in words):
        raise ProvisioningError("cmdline.txt runs something else at first boot: take a freshly written card")
    return " ".join([*words, RUN, REST]) + "\n"


def _string(text: str) -> str:
    """A TOML basic string: for printable text JSON writes the same (toml.io, version 1.0, "String")."""
    return json.dumps(text, ensure_ascii=False)
