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

sh tools/find-node.sh > /dev/null
