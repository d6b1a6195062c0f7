#!/bin/sh
# Runs every example, each with a time limit.  CSI names the interpreter (csi).
set -u
here=$(cd -- "$(dirname -- "$0")" && pwd) || exit 1
CSI=${CSI:-csi}
export CSI
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM
passed=0 failed=0

# tell NAME: how it went, which $status says
tell() {
    if [ "$status" = 0 ]; then
        echo "ok $1"
        passed=$((passed + 1))
    else
        echo "FAILED $1 ($status)"
        sed 's/^/    /' "$output"
        failed=$((failed + 1))
    fi
}

# example NAME LIMIT COMMAND...: it must end with code 0, and print what the
# comments "; prints: ..." of its program say, where there are any.
example() {
    name=$1 limit=$2
    shift 2
    timeout "$limit" "$@" >"$output" 2>&1 </dev/null
    status=$?
    wanted=$(sed -n 's/.*; prints: //p' "$here/$name.scm" 2>/dev/null)
    if [ "$status" -eq 0 ] && [ -n "$wanted" ] && [ "$wanted" != "$(cat "$output")" ]
    then
        status="code 0, but prints something else than it says"
    fi
    tell "$name"
}

cd -- "$here" || exit 1
for program in *.scm; do
    case $program in
    threads.scm | wordcount.scm) ;;
    *) example "${program%.scm}" 20 "$CSI" -s "$program" ;;
    esac
done

# The word count, over the text that is here.
set --
for file in "$here"/* "$here"/../doc/*; do
    case $file in *.bin | *.o | *.so) continue ;; esac
    [ -f "$file" ] && set -- "$@" "$file"
done
# Ports of this run's own, so that two runs do not meet.
PORT=$((20000 + $$ % 4000 * 3))
export PORT
for transport in ipc tcp; do
    example "wordcount $transport" 60 \
        env TRANSPORT="$transport" sh "$here/wordcount" "$@"
done

# refused WORDS COMMAND...: it must end soon, with code 2, and say that and
# nothing else.
refused() {
    words=$1
    shift
    timeout 20 "$@" >"$output" 2>&1 </dev/null
    status=$?
    if [ "$status" -eq 2 ] && [ "$(wc -l <"$output")" -eq 1 ] &&
        grep -q -F -- "$words" "$output"
    then
        status=0
    else
        status="code $status, or says something else"
    fi
    tell "refused: $words"
}
refused "TRANSPORT is ipc or tcp, not foo" \
    env TRANSPORT=foo sh "$here/wordcount" "$here/README.md"
for workers in abc 0 -1 1000; do
    refused "WORKERS is a number from 1 to 999, not $workers" \
        env WORKERS="$workers" sh "$here/wordcount" "$here/README.md"
done
refused "PORT is a number from 1 to 65533, not 65534" \
    env TRANSPORT=tcp PORT=65534 sh "$here/wordcount" "$here/README.md"
refused "not a file that can be read: nowhere" \
    sh "$here/wordcount" "$here/README.md" nowhere

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
