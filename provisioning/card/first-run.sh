#!/bin/sh
# First run of a new card, as root: installs the package, enrols, and removes what was secret on the boot partition.
# Each step may be the last before a power cut: until the token is gone, the unit runs all of it again.
set -eu
boot=${LIKENESS_BOOT:-/boot/firmware}
root=${LIKENESS_ROOT:-}
group=${LIKENESS_GROUP:-likeness}
here=$boot/likeness
configuration=$root/etc/likeness/terminal.yaml

wipe() {
    [ -e "$1" ] || return 0
    shred --iterations=1 --zero --remove "$1"
    sync
}

# Power was cut in the middle of an installation: apt-get refuses to work until dpkg has cleared that up.
dpkg --configure -a || true
apt-get install --yes --no-install-recommends "$here/likeness.deb"
if [ ! -e "$configuration" ]; then
    install -D -m 0640 -g "$group" "$here/terminal.yaml" "$configuration.new"
    sync
    mv "$configuration.new" "$configuration"
fi
# In the unit's sandbox, as the terminal's user, and with the credential that the new keys are encrypted under.
systemctl start likeness-enrol.service

# The network is configured by now, and cloud-init is not to look for it again.
if [ -d "$root/etc/cloud/cloud.cfg.d" ]; then
    echo 'network: {config: disabled}' >"$root/etc/cloud/cloud.cfg.d/99-likeness.cfg"
fi
wipe "$boot/network-config"
wipe "$boot/custom.toml"
systemctl enable likeness-terminal.service
# Last of all: the token's file is what makes this run again.
wipe "$here/token"
systemctl start --no-block likeness-terminal.service
