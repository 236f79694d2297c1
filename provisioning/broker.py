"""The production broker's files: configuration, access list, and systemd's part; docs/broker.md says where they go."""

from __future__ import annotations

from pathlib import Path

from provisioning.mosquitto import BrokerPlan, access_list, configuration

FILES_OF_ITS_OWN = 1024
STOP_LIMIT_S = 120


def write_broker(folder: Path, plan: BrokerPlan) -> list[Path]:
    """Writes what does not exist only once: no key is among it, and writing it again changes nothing but the plan."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "mosquitto.conf": configuration(plan),
        "acl": access_list(plan.workers),
        "mosquitto.service.d/likeness.conf": drop_in(plan),
        "likeness-crl.service": crl_service(plan),
        "likeness-crl.timer": CRL_TIMER,
    }
    written = []
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        written.append(path)
    return written


def drop_in(plan: BrokerPlan) -> str:
    """Returns what is added to Debian's mosquitto.service."""
    return f"""\
# Written by likeness-provision: goes to /etc/systemd/system/mosquitto.service.d/
[Unit]
# A broker that fails is tried again for ever: nothing else in the house works without it.
StartLimitIntervalSec=0

[Service]
ExecStart=
ExecStart=/usr/sbin/mosquitto -c {plan.files}/mosquitto.conf
Restart=always
RestartSec=2
# It writes what it holds to the disk before it ends.
TimeoutStopSec={STOP_LIMIT_S}
LimitNOFILE={plan.connections + FILES_OF_ITS_OWN}
LimitCORE=0
UMask=0077
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
LockPersonality=yes
SystemCallArchitectures=native
"""


def crl_service(plan: BrokerPlan) -> str:
    """Returns the unit that fails, for whoever watches failed units, while the list can still be replaced in peace."""
    return f"""\
[Unit]
Description=Likeness: alarm before the broker's revocation list expires

[Service]
Type=oneshot
ExecStart=/opt/likeness-central/bin/likeness-provision crl --check {plan.files}/crl.pem --authority {plan.files}/ca.pem
DynamicUser=yes
SupplementaryGroups=mosquitto
ProtectSystem=strict
ProtectHome=yes
PrivateNetwork=yes
"""


CRL_TIMER = """\
[Unit]
Description=Likeness: look at the broker's revocation list each day

[Timer]
OnCalendar=daily
RandomizedDelaySec=1h
Persistent=yes

[Install]
WantedBy=timers.target
"""
