#!/bin/sh
# What the tests need beside Python: Chromium, Java with Maven, kcat. What is missing is installed where that is
# possible without asking (as root on Debian), else named; the tests that need it are then skipped, or fail in CI.
set -eu

missing=""
need() { # need COMMAND PACKAGE WHAT-FOR
  command -v "$1" > /dev/null || missing="$missing $2"
}
need chromium chromium
need java openjdk-17-jre-headless
need mvn maven
need kcat kcat
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "installing$missing"
  # shellcheck disable=SC2086  # several words are meant
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
    > /dev/null && exit 0
fi
echo "not on this machine:$missing. The tests that need them are skipped."
