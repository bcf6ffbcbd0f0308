#!/bin/sh
# Builds the image where there is neither Docker nor an image registry, and looks into it. For a Debian machine, as
# root, with buildah and debootstrap: a base made from Debian's packages takes the place of python:3.13-slim.
#
#   docker/try-build.sh [folder]     everything it makes goes there (default: a new one under /tmp); remove it after
set -eu

cd "$(dirname "$0")/.."
work="${1:-$(mktemp -d)}"
mkdir -p "$work"
version="$(sed -n 's/^ARG PYTHON_VERSION=//p' Dockerfile)"
base="docker.io/library/python:$version-slim"

storage() {
    buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"
}

echo "== the base: Debian 13, whose Python is 3.13"
if ! storage inspect --type image "$base" >/dev/null 2>&1; then
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
        trixie "$work/base" >"$work/debootstrap.log"
    ln -s /usr/bin/python3 "$work/base/usr/local/bin/python"
    container="$(storage from scratch)"
    storage copy --quiet "$container" "$work/base" /
    storage config --cmd python3 "$container"
    storage commit --quiet --format docker --rm "$container" "$base"
fi

echo "== the image"
# Docker's own format, because OCI's has no place for a health check. The build uses this machine's pip settings and
# certificates, whatever they are; TRY_BUILD_VOLUMES names further folders that pip needs to see.
set --
for path in /etc/pip.conf /etc/ssl/certs ${TRY_BUILD_VOLUMES:-}; do
    if [ -e "$path" ]; then
        set -- "$@" --volume "$path:$path:ro"
    fi
done
storage bud "$@" --format docker --pull-never --isolation chroot --network host --tag switchgate:try .

echo "== what is in it"
container="$(storage from --pull-never switchgate:try)"
root="$(storage mount "$container")"
du -sh "$root/opt/venv" "$root/app"
ls "$root/app" "$root/app/app"
for left_out in opt/venv/bin/pip app/app/sandbox app/app/hook_lambda app/tests app/.git; do
    if [ -e "$root/$left_out" ]; then
        echo "the image must not hold /$left_out" >&2
        exit 1
    fi
done
storage run --isolation chroot --network host "$container" -- id -u
storage run --isolation chroot --network host "$container" -- entrypoint --help
storage rm "$container" >/dev/null
echo "== built; everything is in $work"
