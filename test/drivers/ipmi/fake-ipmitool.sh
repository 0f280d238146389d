#!/bin/sh
# Stands for ipmitool: the power is a file. Says how it was called, and refuses any password but the one in $STATE/password.
STATE=$(dirname "$0")
echo "$*" >> "$STATE/arguments"
for last in "$@"; do :; done
case $* in *" -C 3 "*) [ -f "$STATE/newer" ] && { echo "Error in open session response message : no matching cipher suite" >&2; exit 1; } ;; esac
[ -f "$STATE/dead" ] && { echo "Error: Unable to establish IPMI v2 / RMCP+ session" >&2; exit 1; }
[ -f "$STATE/hung" ] && exec sleep 60
[ "$IPMI_PASSWORD" = "$(cat "$STATE/password")" ] || { echo "RAKP 2 HMAC is invalid" >&2; exit 1; }
case $last in
  on | off) echo "$last" > "$STATE/power"; echo "Chassis Power Control: $last" ;;
  status) echo "Chassis Power is $(cat "$STATE/power")" ;;
esac
