# What the packages share; build.py puts it into each postinst, which says before:
#   PLACE   a link: what the units and /usr/bin name
#   ROOMS   the environments it points to
#   WHEELS  what they are made of
#   SEES    "--system-site-packages" where libraries of the distribution are used
#   UNITS   what is enabled

# Make an environment and print where. Everything comes from the package: no network, and the very
# versions that were tested, whatever of them the system has too.
make_room() {
    python=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    list=$WHEELS/python$python.txt
    if [ ! -f "$list" ]; then
        echo "$PLACE: this package holds nothing for Python $python" >&2
        return 1
    fi
    mkdir -p "$ROOMS"
    room=$(mktemp -d "$ROOMS/python$python.XXXXXX")
    chmod 755 "$room"
    if ! { /usr/bin/python3 -m venv $SEES "$room" &&
        "$room/bin/python" -m pip install -q --isolated --disable-pip-version-check \
            --root-user-action=ignore --no-cache-dir --no-index --find-links "$WHEELS" --no-deps \
            --ignore-installed -r "$list"; } >&2; then
        rm -rf "$room"
        return 1
    fi
    echo "$room"
}

# Have the link name another environment, in one step.
point_to() {
    ln -sfn "$1" "$PLACE.new"
    mv -T "$PLACE.new" "$PLACE"
}

enable_units() {
    for unit in $UNITS; do
        deb-systemd-helper unmask "$unit" >/dev/null || true
        if deb-systemd-helper --quiet was-enabled "$unit"; then
            deb-systemd-helper enable "$unit" >/dev/null || true
        else
            deb-systemd-helper update-state "$unit" >/dev/null || true
        fi
    done
}

remove_other_rooms() {
    for room in "$ROOMS"/*; do
        [ "$room" = "$1" ] || rm -rf "$room"
    done
}
