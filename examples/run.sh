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

# example NAME LIMIT COMMAND...
example() {
    name=$1 limit=$2
    shift 2
    timeout "$limit" "$@" >"$output" 2>&1 </dev/null
    status=$?
    if [ "$status" -eq 0 ]; then
        echo "ok $name"
        passed=$((passed + 1))
    else
        echo "FAILED $name (exit $status)"
        sed 's/^/    /' "$output"
        failed=$((failed + 1))
    fi
}

for name in hello pubsub pipeline poll multipart errors threads; do
    example "$name" 10 "$CSI" -s "$here/$name.scm"
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

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
