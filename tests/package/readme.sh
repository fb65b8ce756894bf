#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The README's commands for root that install something, in a clean clone on a system that has nothing but
# apt. For tests/system/rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/../system/tap.sh"

# The end of what a command said is enough to know what went wrong.
readonly lines_shown=40

cd "$TUNECHO_SOURCE" || exit 1
check 'there is no compiler' fails command -v cc
check 'there is no ping' fails command -v ping

output=$(scripts/demo </dev/null 2>&1)
check 'the demo succeeds' equal 0 $?
note "$(tail -n "$lines_shown" <<<"$output")"
check 'it is shown to its end' contains "'tun0' stopped" "$output"

output=$(scripts/start </dev/null 2>&1)
check 'the first command succeeds' equal 0 $?
note "$(tail -n "$lines_shown" <<<"$output")"
check 'the service runs' is_property tunecho@tun0 ActiveState active
check 'its IPv4 peer answers' pings 198.18.0.2 3
check 'its IPv6 peer answers' pings 2001:2::2 3
check 'nothing was lost' equal 2 "$(grep -c ' 0% packet loss' <<<"$output")"
check 'the journal explains its messages' \
    contains '░░ Subject:' "$(journal --catalog --unit=tunecho@tun0 _COMM=tunecho)"

output=$(TUNECHO_STRICT=1 scripts/check </dev/null 2>&1)
check 'the second command passes, and skips nothing' equal 0 $?
note "$(tail -n "$lines_shown" <<<"$output")"
for build in build/check-*; do
    cp "$build/meson-logs/testlog.txt" "$TUNECHO_RIG_SHARE/${build##*/}.txt"
done
note "what its tests said is in $TUNECHO_RIG_SHARE"

rm -f "$TUNECHO_RIG_SHARE"/tunecho*_*
output=$(scripts/package "$TUNECHO_RIG_SHARE" </dev/null 2>&1)
check 'the package is made' equal 0 $?
note "$(tail -n "$lines_shown" <<<"$output")"
check 'it is there' ls "$TUNECHO_RIG_SHARE"/tunecho_*.deb
tap_done
