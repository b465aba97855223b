#!/usr/bin/env bash
# Builds the Dockerfile without a Docker engine and runs the demo's data part in the image, as root on Debian:
#   apt-get install buildah debootstrap && tests/docker/build.sh
# BASE_FOLDER keeps the base system between calls; CA_FILE adds a certificate authority of a local package mirror.
set -euo pipefail
cd "$(dirname "$0")/../.."
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
base_folder=${BASE_FOLDER:-$work/base}
ca_file=${CA_FILE:-/etc/ssl/certs/ca-certificates.crt}

if [ ! -x "$base_folder/usr/bin/python3" ]; then
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$base_folder"
fi
cp "$ca_file" "$base_folder/etc/ssl/certs/ca-certificates.crt"

container=$(buildah from scratch)
buildah copy -q "$container" "$base_folder" / > /dev/null
buildah commit -q "$container" localhost/witbuild-base > /dev/null
buildah rm "$container" > /dev/null

buildah bud --isolation chroot --build-arg BASE=localhost/witbuild-base --build-arg EXTRAS="${EXTRAS:-}" \
  --tag localhost/witbuild .

container=$(buildah from localhost/witbuild)
trap 'buildah rm "$container" > /dev/null; rm -rf "$work"' EXIT
in_image() { buildah run --isolation chroot "$container" -- "$@"; }
echo "== user, entry point, leftovers"
in_image id -un
buildah inspect --type image --format '{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.User}}' localhost/witbuild
in_image sh -c 'du -sh /opt/witbuild; ls -d /root/.cache /opt/witbuild/lib/python3*/site-packages/pip 2>/dev/null || echo "no cache, no pip"'
echo "== demo"
in_image witbuild --version
in_image witbuild demo --no-train --out /tmp/demo
