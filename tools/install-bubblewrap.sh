#!/bin/sh
# Makes sure of bubblewrap: installs Debian's package where that is allowed, else says what to type (exit 2).
set -u
command -v bwrap >/dev/null && exit 0
sentence="bubblewrap, which locks student code in, is missing: run 'sudo apt-get install bubblewrap', then the same command again."
if command -v apt-get >/dev/null; then
    if [ "$(id -u)" -eq 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "$sentence" >&2
        exit 2
    fi
    echo "Installing bubblewrap with apt-get."
    $as_root apt-get install -y -qq bubblewrap >/dev/null 2>&1 ||
        { $as_root apt-get update -qq >/dev/null 2>&1 && $as_root apt-get install -y -qq bubblewrap >/dev/null 2>&1; }
fi
command -v bwrap >/dev/null || { echo "$sentence" >&2; exit 2; }
