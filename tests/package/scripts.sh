#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What scripts/check does where something fails. Commands that stand before those of
# the system say so instead of them. For tests/system/rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/../system/tap.sh"

tree=$(mktemp -d)

# stub NAME LINE...: a command that does this.
stub() {
    local name=$1

    shift
    printf '%s\n' '#!/bin/sh' "$@" >"$tree/bin/$name"
    chmod +x "$tree/bin/$name"
}

# The exit status of a script of the tree, its output in $output.
run() {
    output=$(PATH=$tree/bin:$PATH "$tree/scripts/$1" "${@:2}" </dev/null 2>&1)
}

prepare() {
    mkdir -p "$tree/bin" "$tree/tests/system" "$tree/build/check-trixie/meson-logs"
    cp -R "$TUNECHO_SOURCE/scripts" "$tree"
    # Whatever is asked for is installed.
    stub dpkg-query 'echo ii'
}

# A run that does not get as far as its tests, after one that passed.
test_results_of_before() {
    printf '#!/bin/sh\nexit 1\n' >"$tree/tests/system/make-tree"
    chmod +x "$tree/tests/system/make-tree"
    echo '{ "name": "of before", "result": "OK" }' >"$tree/build/check-trixie/meson-logs/testlog.json"
    echo '<testsuites/>' >"$tree/build/check-trixie/meson-logs/testlog.junit.xml"
    check 'the results of before are good' "$tree/scripts/report" "$tree/build/check-trixie"
    run check trixie
    check 'a run that fails before its tests fails' equal 1 $?
    check 'and counts as failed' equal '0 passed, 1 failed, 0 skipped' "$(tail -n 1 <<<"$output")"
}

prepare
test_results_of_before
tap_done
