#!/usr/bin/env bash
# Installs the Debian packages that the tests need: a virtual screen, a hand for it, and what Qt and MuJoCo load.
set -euo pipefail
packages=(xvfb x11-xkb-utils xdotool libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-render-util0
    libxkbcommon-x11-0 libegl1 libgl1 libdbus-1-3 libfontconfig1)
if dpkg --status "${packages[@]}" >/dev/null 2>&1; then
    exit 0
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; }; then
    echo "The tests need these packages (Debian's names); install them and run again: ${packages[*]}" >&2
    exit 1
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
