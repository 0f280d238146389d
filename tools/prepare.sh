#!/bin/sh
# Runs before `npm start` and `npm test`: installs what the lock file names, once, and checks the Node that will run.
# POSIX shell only: the Node found here may be older than the one the scripts get.
set -eu
cd "$(dirname "$0")/.."

lock=$(cksum < package-lock.json)
stamp=node_modules/.skystead-lock
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$lock" ]; then
  echo "skystead: installing packages (npm ci) ..."
  npm ci --no-audit --no-fund --loglevel=error
  printf '%s' "$lock" > "$stamp"
fi

PATH="$PWD/node_modules/.bin:$PATH"
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
if [ "$major" -lt 24 ]; then
  echo "skystead: Node 24 or newer is needed, found $(node --version). On this system install it from your distribution." >&2
  exit 1
fi
