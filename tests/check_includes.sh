#!/usr/bin/env bash
#
# check_includes.sh - who may include what.
#
#   - A library's header is included by one .c file of the product, which wraps it for the rest.
#   - common includes nothing of the others; client, daemon and analyzer do not include each other.
#   - A file name is unique in the tree, so that a name is enough to know a file.

set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

product=(common collector analyzer)
confined=(
    cJSON.h dlfcn.h ini.h protobuf-c/protobuf-c.h sys/epoll.h trace.pb-c.h xxhash.h zstd.h zstd_errors.h
)

problems=0
problem() {
    printf 'check_includes: %s\n' "$*" >&2
    problems=$((problems + 1))
}

# set_area FILE: $area is the part of the program it belongs to: common, collector/client, collector/daemon, analyzer, ...
set_area() {
    area=${1%%/*}
    if [ "$area" = collector ]; then
        area=${1#collector/}
        area=collector/${area%%/*}
    fi
}

# includes FOLDER...: "FILE:LINE HEADER" for each #include in them.
includes() {
    # shellcheck disable=SC2016 # awk's own $0
    find "$@" -type f -name '*.[ch]' | sort | xargs -r awk '
        /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
            header = $0
            sub(/^[^<"]*[<"]/, "", header)
            sub(/[>"].*/, "", header)
            print FILENAME ":" FNR, header
        }'
}

sources() {
    find common collector analyzer samples tests proto -type d \( -name corpus -o -name reference \) -prune -o \
        -type f \( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name '*.in' -o -name '*.proto' \) -print
}

check_names() {
    local name

    while read -r name; do
        problem "more than one file has the name $name: $(sources | grep -F "/$name" | sort | tr '\n' ' ')"
    done < <(sources | sed 's:.*/::' | grep -vxE 'main\.c|run\.sh' | sort | uniq -d)
}

check_confined() {
    local header place places

    for header in "${confined[@]}"; do
        mapfile -t places < <(awk -v header="$header" '$2 == header { print $1 }' <<<"$all_includes")
        for place in "${places[@]}"; do
            [[ $place == *.c:* ]] || problem "$place: $header belongs into one .c file, not into a header"
        done
        [ ${#places[@]} -le 1 ] || problem "$header is included more than once: ${places[*]}"
    done
}

# The project's own headers are found by their name alone, whether an include gives a folder or not.
check_areas() {
    local place header to

    while read -r place header; do
        to=${area_of_header[${header##*/}]-}
        set_area "$place"
        if [ -n "$to" ] && [ "$to" != "$area" ] && [ "$to" != common ]; then
            problem "$place: $area must not include '$header' of $to"
        fi
    done <<<"$all_includes"
}

declare -A area_of_header
while read -r path; do
    set_area "$path"
    area_of_header[${path##*/}]=$area
done < <(find "${product[@]}" samples tests -type f -name '*.h')
all_includes=$(includes "${product[@]}")

check_names
check_confined
check_areas
if [ "$problems" -ne 0 ]; then
    printf 'check_includes: %d problems\n' "$problems" >&2
    exit 1
fi
printf 'check_includes: %d includes are as they should be\n' "$(wc -l <<<"$all_includes")"
