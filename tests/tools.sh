#!/bin/sh
# What the tests need besides Python: Chromium, Java with Maven, kcat; and for `tests/tools.sh compose` Docker with
# Compose 2. What is missing is installed where that is possible without a question (as root on Debian), otherwise named;
# the tests that need it are then skipped, or fail in CI.
set -eu
cd "$(dirname "$0")/.."

COMPOSE=.cache/compose/docker-compose # where tests/compose/engine.py looks for it

missing=""
need() { # need COMMAND PACKAGE
  command -v "$1" > /dev/null || missing="$missing $2"
}

has_compose() {
  { docker compose version --short || docker-compose version --short || "$COMPOSE" version --short; } 2> /dev/null \
    | grep -qE '^v?([2-9]|[0-9]{2,})\.'
}

# Debian 12 packages Compose 1 only. Debian 13's Compose 2 is one program that runs there too: unpacked, not installed.
fetch_compose() {
  here=$(pwd)/.cache/compose/apt
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' | head -n 1)
  apt="apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList=$here/sources.list -o Dir::Etc::SourceParts=-"
  apt="$apt -o Dir::State::Lists=$here/lists -o Dir::Cache=$here"
  mkdir -p "$here/lists/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > "$here/sources.list"
  (
    cd "$here" && $apt update && $apt download docker-compose \
      && dpkg-deb --extract docker-compose_*.deb . && mv usr/libexec/docker/cli-plugins/docker-compose ..
  ) && rm -rf "$here"
}

install() {
  apt-get update -qq
  # shellcheck disable=SC2086  # several words are meant
  [ -z "$missing" ] || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing || return 1
  [ -z "$compose" ] || fetch_compose
}

need chromium chromium
need java openjdk-17-jre-headless
need mvn maven
need kcat kcat
compose=""
if [ "${1-}" = compose ]; then
  need docker docker.io
  docker version > /dev/null 2>&1 || { need dockerd docker.io; need debootstrap debootstrap; need iptables iptables; }
  compose=$(has_compose || echo " docker-compose")
fi
[ -z "$missing$compose" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "installing$missing$compose"
  install > /dev/null && exit 0
fi
echo "not on this machine:$missing$compose. The tests that need them are skipped."
