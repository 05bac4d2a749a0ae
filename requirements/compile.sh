#!/bin/sh
# Writes the lock files of this folder from pyproject.toml.
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
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-annotate --custom-compile-command requirements/compile.sh \
        --output-file "$out" "$@"
}

compile requirements/run.txt pyproject.toml "$@"
compile requirements/build.txt --group build "$@"
compile requirements/dev.txt pyproject.toml --group build --group dev \
    --constraint requirements/run.txt --constraint requirements/build.txt "$@"
compile requirements/console.txt --group console --constraint requirements/dev.txt "$@"
compile requirements/cluster.txt pyproject.toml --extra cluster --constraint requirements/dev.txt "$@"
compile requirements/dask.txt pyproject.toml --extra dask --constraint requirements/dev.txt "$@"
compile requirements/postgres.txt pyproject.toml --extra postgres --constraint requirements/dev.txt "$@"
compile requirements/tune.txt pyproject.toml --extra tune --constraint requirements/dev.txt "$@"
compile requirements/parquet.txt pyproject.toml --extra parquet --constraint requirements/dev.txt "$@"
compile requirements/bench.txt --group bench \
    --constraint requirements/run.txt --constraint requirements/dev.txt "$@"
compile requirements/bench-compiled.txt --group bench-compiled "$@"
compile requirements/bench-lab.txt --group bench-lab "$@"
