"""Pi OS trixie: cloud-init reads user-data, meta-data and network-config (netplan, version 2) from the boot partition.

Sources: cloudinit.readthedocs.io, "NoCloud" and "Networking config Version 2"; netplan.readthedocs.io, "YAML
configuration".
"""

from __future__ import annotations

from typing import Any

import yaml

from provisioning.card.plan import CardPlan

INSTALL = ["sh", "/boot/firmware/likeness/install.sh"]
START = ["systemctl", "start", "--no-block", "likeness-first-run.service"]


def trixie_files(plan: CardPlan, instance: str) -> dict[str, str]:
    """Returns the files of the boot partition by name; cloud-init runs once for each `instance`."""
    return {
        "user-data": "#cloud-config\n" + _text(_user_data(plan)),
        "meta-data": _text({"instance-id": instance, "local-hostname": plan.terminal}),
        "network-config": _text(_network(plan)),
    }


def _user_data(plan: CardPlan) -> dict[str, Any]:
    document: dict[str, Any] = {
        "hostname": plan.terminal,
        "manage_etc_hosts": True,
        "ssh_pwauth": False,
        "disable_root": True,
        "package_update": True,
        "runcmd": [INSTALL, START],
    }
    if plan.packages:
        document["packages"] = list(plan.packages)
    if plan.technician_key is not None:
        document["users"] = [_technician(plan.technician_key)]
    return document


def _technician(key: str) -> dict[str, Any]:
    return {
        "name": "technician",
        "shell": "/bin/bash",
        "groups": ["video", "gpio", "systemd-journal"],
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "lock_passwd": True,
        "ssh_authorized_keys": [key],
    }


def _network(plan: CardPlan) -> dict[str, Any]:
    network: dict[str, Any] = {"version": 2}
    if plan.wifi is None:
        network["ethernets"] = {"eth0": {"dhcp4": True}}
    else:
        points = {plan.wifi.ssid: {"password": plan.wifi.key}}
        country = plan.wifi.country
        network["wifis"] = {"wlan0": {"dhcp4": True, "regulatory-domain": country, "access-points": points}}
    return {"network": network}


def _text(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
