#!/bin/sh
# Writes images and compose file into one archive, for hosts that reach no registry. Run it where the images are, from the
# project's folder:
#   sh deploy/bundle.sh [ARCHIVE]
# There: tar xf ARCHIVE && cd slipway && sh deploy/load.sh
set -eu
cd "$(dirname "$0")/.."
archive="${1:-slipway-bundle.tar}"
# What is wanted without monitoring, and what there is for that.
listed() { SLIPWAY_PUBLIC_URL=http://localhost SLIPWAY_SECRETS=. docker compose --profile "$1" config --images | sort -u; }
images="$(listed docker)"
for image in $(listed monitoring); do
    case "$images" in *"$image"*) continue ;; esac
    ! docker image inspect "$image" >/dev/null 2>&1 || images="$images
$image"
done
for image in $images; do
    docker image inspect "$image" >/dev/null 2>&1 || {
        echo "bundle: the image $image is not here: docker compose build, docker compose pull" >&2
        exit 1
    }
done
room="$(mktemp -d)"
trap 'rm -rf "$room"' EXIT
mkdir "$room/slipway"
cp -R compose.yaml .env.example deploy "$room/slipway/"
# shellcheck disable=SC2086
docker save $images >"$room/images.tar"
gzip -1 <"$room/images.tar" >"$room/slipway/images.tar.gz"
(cd "$room/slipway" && sha256sum images.tar.gz >images.sha256)
tar -C "$room" -cf "$archive.part" slipway
mv "$archive.part" "$archive"
echo "$archive holds:"
echo "$images"
