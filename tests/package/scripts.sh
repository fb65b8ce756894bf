#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What scripts/check and scripts/package do where something is missing or fails. Commands that stand before those of
# the system say so instead of them. For tests/system/rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/../system/tap.sh"

tree=$(mktemp -d)
calls=$tree/calls

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

position() {
    grep --line-number --max-count=1 -e "$1" "$calls" | cut -d: -f1
}

prepare() {
    mkdir -p "$tree/bin" "$tree/tests/system" "$tree/build/check-trixie/meson-logs"
    cp -R "$TUNECHO_SOURCE/scripts" "$TUNECHO_SOURCE/packaging" "$tree"
    # Whatever is asked for is installed.
    stub dpkg-query 'echo ii'
    # shellcheck disable=SC2016 # expanded by the stub
    stub apt-get 'echo "$DEBIAN_FRONTEND: $*" >>'"$calls" \
        'case "$*" in *build-dep*) exit 1 ;; esac'
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

test_build_dependencies() {
    stub dpkg-checkbuilddeps 'exit 1'
    run package
    check 'packages that cannot be installed end it' equal 1 $?
    check 'it says so' contains 'the packages cannot be installed' "$output"
    note "$(cat "$calls")"
    check 'apt was asked for new lists before' test "$(position ' update$')" -lt "$(position 'build-dep ')"
    check 'and to ask nothing' contains 'noninteractive: ' "$(grep 'build-dep ' "$calls")"
}

prepare
test_results_of_before
test_build_dependencies
tap_done
