#!/bin/bash
# Installs the Debian packages that are missing. Nothing here starts a daemon: etcd, containerd and the like are
# unpacked into Nestbox's own cache instead, by `nestbox artifacts get`.
set -euo pipefail

packages=(
    libssh2-1-dev libssl-dev libcurl4-openssl-dev          # linked against
    golang-go golang-github-modern-go-reflect2-dev jq rsync dpkg-dev make xz-utils gcc libc6-dev  # Kubernetes, from Debian's source package
    mmdebstrap iproute2 iptables openssh-client openssl ca-certificates curl procps util-linux               # the lab
)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
echo "installing ${missing[*]}"
for attempt in 1 2 3; do
    if "${sudo[@]}" apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
        exit 0
    fi
    echo "attempt $attempt failed" >&2
    sleep $((attempt * 5))
done
echo "error: could not install ${missing[*]}; install them by hand and run this again" >&2
exit 1
