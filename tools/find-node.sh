#!/bin/sh
# Prints the path of the Node that runs Skystead: the one that came with the packages, else the system's where it is new
# enough. POSIX shell only: the Node on the PATH may be older.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)

found=none
for candidate in "$root/node_modules/.bin/node" "$(command -v node || true)"; do
  [ -x "$candidate" ] || continue
  found=$("$candidate" --version)
  major=${found#v}
  if [ "${major%%.*}" -ge 24 ]; then
    printf '%s\n' "$candidate"
    exit 0
  fi
done
echo "skystead: Node 24 or newer is needed, found $found. On this system install it from your distribution." >&2
exit 1
