#!/bin/sh
# Runs the programs of this folder with their partners, each scenario with a time
# limit, and looks at what they print.  After a problem, the rest of a scenario only starts
# programs.  CSI names the interpreter (csi).
#
#   run.sh [NAME...]    the scenarios of these names; all by default
set -u
here=$(cd -- "$(dirname -- "$0")" && pwd) || exit 1
CSI=${CSI:-csi}
LIMIT=60
place=$(mktemp -d) || exit 1
passed=0 failed=0
running=

# end: stops what runs in the background
end() {
    for pid in $running; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    running=
}
trap 'end; rm -rf "$place"' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# start NAME PROGRAM ARGUMENT...: in the background, under that NAME
start() {
    name=$1 program=$2
    shift 2
    : >"$out/$name"
    timeout -k 2 "$LIMIT" "$CSI" -s "$program.scm" "$@" >"$out/$name" 2>&1 </dev/null &
    running="$! $running"
    eval "pid_$name=$!"
}

# stop NAME: ends that one
stop() {
    if [ -n "$problem" ]; then return; fi
    eval "kill \"\$pid_$1\" 2>/dev/null" || problem="$1 has ended before it was stopped"
    eval "wait \"\$pid_$1\" 2>/dev/null"
}

# run NAME PROGRAM ARGUMENT...: until it ends, which it must do with code 0
run() {
    name=$1 program=$2
    shift 2
    if [ -n "$problem" ]; then return; fi
    timeout -k 2 "$LIMIT" "$CSI" -s "$program.scm" "$@" >"$out/$name" 2>&1 </dev/null ||
        problem="$name ended with code $?"
}

# shows NAME PATTERN [COUNT]: NAME prints so many lines (1) or more that match
shows() {
    tries=0
    until [ "$(grep -c -e "$2" "$out/$1")" -ge "${3:-1}" ]; do
        tries=$((tries + 1))
        if [ -n "$problem" ]; then return; fi
        if [ "$tries" -ge $((LIMIT * 20)) ] || grep -q -e "^Error: " -e "^Warning (" "$out"/*; then
            problem="$1 does not print '$2' ${3:-1} times"
            return
        fi
        sleep 0.05
    done
}

# ends: the programs in the background end by themselves, with code 0
ends() {
    if [ -n "$problem" ]; then return; fi
    for pid in $running; do
        wait "$pid" || problem="a program in the background ended with code $?"
    done
    running=
}

# scenario NAME: runs the function test_NAME.  Endpoints are $at and a word.
scenario() {
    problem=
    out=$place/$1 files=$place/$1.files
    at=ipc://$files/
    mkdir "$out" "$files" || exit 1
    "test_$1"
    end
    if [ -z "$problem" ]; then
        echo "ok $1"
        passed=$((passed + 1))
    else
        echo "FAILED $1: $problem"
        for file in "$out"/*; do
            sed -n "s|^|    ${file##*/}: |; 1,8p" "$file"
        done
        failed=$((failed + 1))
    fi
}

# The programs include files by paths that begin here.
cd -- "$here" || exit 1

. ./scenarios.sh
[ $# -gt 0 ] || set -- $(sed -n 's/^test_\([a-z0-9_]*\)() {$/\1/p' scenarios.sh)
for name; do scenario "$name"; done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
