#!/bin/sh
# Runs the fast tests with each Python from 3.11 on that is on this machine, on PATH or from pyenv: all at the same time,
# each in an environment of its own.
set -u
cd "$(dirname "$0")/.."

pyenv=${PYENV_ROOT:-$HOME/.pyenv}/versions
jobs=""
for minor in 11 12 13 14; do
  for python in "$(command -v "python3.$minor")" "$pyenv/3.$minor".*/bin/python; do
    "$python" -c "import sys; sys.exit(sys.version_info[:2] != (3, $minor))" 2> /dev/null || continue
    here=.cache/pythons/3.$minor
    mkdir -p "$here"
    echo "Python 3.$minor: $python"
    make PYTHON="$python" VENV="$here/venv" STAMPS="$here/stamps" test-fast > "$here/log" 2>&1 &
    jobs="$jobs 3.$minor:$!"
    break
  done
done

failed=0
for job in $jobs; do
  version=${job%:*}
  wait "${job#*:}" || failed=1
  echo "Python $version: $(grep -E '^=+ .* in [0-9.]+s' ".cache/pythons/$version/log" || tail -n 1 ".cache/pythons/$version/log")"
  grep -E '^(FAILED|ERROR) ' ".cache/pythons/$version/log"
done
[ -n "$jobs" ] || { echo "There is no Python from 3.11 to 3.14 here."; failed=1; }
exit $failed
