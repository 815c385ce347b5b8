#!/bin/sh
# Gives the images of a bundle to this host's engine: sh deploy/load.sh
set -eu
cd "$(dirname "$0")/.."
sha256sum --quiet --check images.sha256 || {
    echo "load: images.tar.gz is not as it was packed: copy the archive again" >&2
    exit 1
}
gzip -dc images.tar.gz | docker load
