#!/bin/sh
# Makes the first run a unit, so that it waits for the network, is tried again, and outlives a power cut.
set -eu
boot=${LIKENESS_BOOT:-/boot/firmware}
root=${LIKENESS_ROOT:-}
install -m 0644 "$boot/likeness/likeness-first-run.service" "$root/etc/systemd/system/likeness-first-run.service"
systemctl daemon-reload || true
systemctl enable likeness-first-run.service
sync
# Bookworm came here by the kernel's command line: once is enough.
sed -i 's| systemd\.run=[^ ]*||; s| systemd\.run_success_action=[^ ]*||; s| systemd\.unit=[^ ]*||' "$boot/cmdline.txt"
sync
