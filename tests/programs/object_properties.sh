#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the objects made from assembly promise the linker is true and complete: no executable stack,
# no text relocations, landing pads and signed return addresses exactly when the build asks for
# them, never shadow stacks; and on AArch64 they leave the platform's register x18 alone.
set -eu

: "${VERD_ARCH:=$(uname -m)}" "${VERD_CC:=cc}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C

fail() {
    echo "object_properties: $1"
    exit 1
}

compile() {
    $VERD_CC -fPIE -Iinclude -Icore -I"arch/$VERD_ARCH" "$@"
}

# The properties of an ELF file in the order in which readelf prints them, "IBT" or "BTI, PAC".
properties() {
    readelf --notes --wide "$1" |
        sed -nE 's/.*(x86|AArch64) feature: (.*)/\2/p' | sed 's/[[:space:]]*$//'
}

# $1: a flag, $2: the properties that each object has when it is compiled with that.
expect_properties() {
    for source in arch/"$VERD_ARCH"/*.S; do
        compile "$1" -c -o "$scratch/object.o" "$source"
        found=$(properties "$scratch/object.o")
        [ "$found" = "$2" ] || fail "$source with $1 has the properties '$found', not '$2'"
    done
}

case $VERD_ARCH in
x86_64)
    expect_properties -fcf-protection=none ''
    expect_properties -fcf-protection=branch IBT
    expect_properties -fcf-protection=return ''
    expect_properties -fcf-protection=full IBT
    harden=-fcf-protection=full
    ;;
aarch64)
    expect_properties -mbranch-protection=none ''
    expect_properties -mbranch-protection=bti BTI
    expect_properties -mbranch-protection=pac-ret PAC
    expect_properties -mbranch-protection=standard 'BTI, PAC'
    harden=-mbranch-protection=standard
    ;;
esac

for source in arch/"$VERD_ARCH"/*.S; do
    compile $harden -c -o "$scratch/object.o" "$source"

    # Columns from the right: alignment, info, link, flags if there are any, entry size.
    readelf --sections --wide "$scratch/object.o" |
        grep -q ' \.note\.GNU-stack .* 00 * 0 * 0 * 1$' ||
        fail "$source has no .note.GNU-stack, or one with flags"

    # Each function and variable has a type and a size, for debuggers and profilers.
    untyped=$(readelf --symbols --wide "$scratch/object.o" |
        awk '$8 ~ /^verd_/ && $7 != "UND" && ($4 !~ /^(FUNC|OBJECT)$/ || $3 == 0) { print $8 }')
    [ -z "$untyped" ] || fail "$source: no .type or .size for $untyped"

    if [ "$VERD_ARCH" = aarch64 ]; then
        objdump=$($VERD_CC -print-prog-name=objdump)
        command -v "$objdump" > /dev/null || objdump=aarch64-linux-gnu-objdump
        "$objdump" --disassemble --no-show-raw-insn "$scratch/object.o" > "$scratch/text" ||
            fail "$objdump cannot read $source"
        grep -q 'ret$' "$scratch/text" || fail "$objdump shows no code of $source"
        ! grep -E '\<[wx]18\>' "$scratch/text" || fail "$source uses x18"
    fi
done

# The whole, linked where text relocations would be an error.
compile $harden -std=c17 -D_GNU_SOURCE -O2 -fPIC -shared -Wl,-z,text -Wl,--fatal-warnings \
    -o "$scratch/whole.so" arch/"$VERD_ARCH"/switch.S core/context/context.c core/stack/line.c core/stack/quiet.c
readelf --program-headers --wide "$scratch/whole.so" | grep -q 'GNU_STACK .* RW *0x' ||
    fail "the stack of a program would be executable"
! readelf --dynamic --wide "$scratch/whole.so" | grep TEXTREL || fail "there are text relocations"
