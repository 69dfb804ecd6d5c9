#!/bin/sh
# What a Debian or Ubuntu machine needs before `pip install` can work; prints the one command that brings what is missing.
python=${1:-python3}
missing=""

need() { missing="$missing $1"; }

stop() { printf 'error: %s\n  do:       %s\n' "$1" "$2" >&2; exit 1; }

command -v "$python" >/dev/null 2>&1 || stop "no $python here" "apt-get install --yes python3 python3-venv python3-dev g++"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case "$version" in
  3.11) ;;
  3.12) echo "Python $version: everything is installed but rendering, which needs Python 3.11" >&2 ;;
  *) stop "Python $version cannot run the factory; 3.11 is needed, 3.12 works without rendering" \
          "give one: make demo PYTHON=/path/to/python3.11" ;;
esac

"$python" -c 'import ensurepip, venv' 2>/dev/null || need "python$version-venv"
header=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')/Python.h
[ -f "$header" ] || need "python$version-dev"
command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || need g++
if [ "$version" = 3.11 ]; then
  here=$(dirname "$0")/..
  lacking=$("$python" -c "
import sys
sys.path.insert(0, '$here')
from factory.render.environment import SYSTEM_LIBRARIES, missing_packages
print(' '.join(missing_packages(SYSTEM_LIBRARIES)))") || stop "the system libraries cannot be checked" "look at the message above"
  need "$lacking"
fi

missing=$(echo $missing)
[ -z "$missing" ] || stop "system packages are missing: $missing" "apt-get install --yes $missing"
