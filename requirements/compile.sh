#!/bin/sh
# Writes requirements/run.txt and requirements/dev.txt from pyproject.toml.
#
#   requirements/compile.sh              keep the versions that still fit
#   requirements/compile.sh --upgrade    take the newest of everything
#
# Needs uv (`pip install uv`). The files hold versions and hashes and no address of any index,
# so that every machine installs from the index it is set up with.
set -eu
cd "$(dirname "$0")/.."

compile() {
    out=$1
    shift
    uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-annotate --custom-compile-command requirements/compile.sh \
        --output-file "$out" "$@"
}

compile requirements/run.txt --group build "$@"
compile requirements/dev.txt --group build --group dev --constraint requirements/run.txt "$@"
