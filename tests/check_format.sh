#!/usr/bin/env bash
#
# check_format.sh - clang-format over all C files, clang-tidy over the product's.
#
# clang-tidy needs to know how each file is compiled, so a configured build folder comes first; it also holds the
# functions' limits of length, nesting and parameters (.clang-tidy).

set -euo pipefail

usage() {
    cat <<END
usage: tests/check_format.sh [--fix] [--format-only] [BUILD_DIR]

  BUILD_DIR      a configured build folder (default build/release)
  --format-only  leave clang-tidy out
  --fix          format the files instead of complaining
END
}

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

build=build/release
mode=check
with_tidy=yes
while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --fix) mode=fix ;;
    --format-only) with_tidy=no ;;
    -*) usage >&2 && exit 2 ;;
    *) build=$1 ;;
    esac
    shift
done

failures=0

check_layout() {
    local file wrong=0

    while read -r file; do
        if [ "$mode" = fix ]; then
            clang-format -i "$file"
        elif ! clang-format --dry-run -Werror "$file" >/dev/null 2>&1; then
            printf '%s: not formatted\n' "$file" >&2
            wrong=$((wrong + 1))
        fi
    done < <(find common collector analyzer samples tests -type f -name '*.[ch]' | sort)
    if [ "$wrong" -ne 0 ]; then
        printf 'check_format: %d files; tests/check_format.sh --fix formats them\n' "$wrong" >&2
        failures=$((failures + 1))
    fi
}

# Compiled are the names in the database; what stands in a folder but in no list of sources is checked by nothing.
check_with_tidy() {
    local file compiled tidied=()

    compiled=$(sed -n 's/^ *"file": "\(.*\)".*/\1/p' "$build/compile_commands.json")
    while read -r file; do
        if grep -Fqx "$PWD/$file" <<<"$compiled"; then
            tidied+=("$file")
        else
            printf '%s: in no list of sources\n' "$file" >&2
            failures=$((failures + 1))
        fi
    done < <(find common collector analyzer -type f -name '*.c' | sort)
    [ ${#tidied[@]} -ne 0 ] || return 0
    # Headers that are generated must be there.
    cmake --build "$build" --target eddy_proto >/dev/null
    printf '%s\0' "${tidied[@]}" | xargs -0 -P 2 -n 4 clang-tidy -p "$build" --quiet \
        2> >(grep -v 'warnings\? generated' >&2) || failures=$((failures + 1))
}

check_layout
if [ "$with_tidy" = yes ] && [ ! -f "$build/compile_commands.json" ]; then
    printf "check_format: '%s' is not configured: cmake --preset release\n" "$build" >&2
    exit 2
fi
[ "$with_tidy" = no ] || check_with_tidy
[ "$failures" -eq 0 ] || exit 1
printf 'check_format: all files are as they should be\n'
