#!/usr/bin/env bash
# Runs a command with its temporary files in memory, where there is room for them. A recording that is saved waits for
# the disk several times; with thousands of small ones, that is most of the time the tests take.
set -euo pipefail
if [ -w /dev/shm ] && [ "$(df --output=avail --block-size=1M /dev/shm | tail -1)" -ge 2048 ]; then
    TMPDIR=$(mktemp -d /dev/shm/twinplay-tests.XXXXXX)
    export TMPDIR
    trap 'rm -rf "$TMPDIR"' EXIT
fi
"$@"
