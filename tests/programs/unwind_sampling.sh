#!/bin/sh
# SPDX-License-Identifier: MIT
#
# An emulator takes signals between blocks of instructions, which would never show a test the middle
# of a switch. Here it is told to make each instruction a block of its own, and the tests
# that unwind from signals run again. Unlike debugger_stepping.sh, this sees signed return addresses.
set -eu

: "${VERD_ARCH:=$(uname -m)}" "${VERD_BUILD:=build/$VERD_ARCH-release}"
suite=$VERD_BUILD/suite

if [ "$VERD_ARCH" = "$(uname -m)" ]; then
    echo "unwind_sampling: only an emulator needs it"
    exit 77
fi
case ${VERD_CC-} in
*clang*)
    echo "unwind_sampling: clang does not describe the ends of its functions on $VERD_ARCH"
    exit 77
    ;;
esac
if [ ! -x "$suite" ]; then
    echo "unwind_sampling: needs $suite"
    exit 77
fi
said=$(QEMU_SINGLESTEP=1 "$suite" --filter 'context/a_profiler*' 2>&1) || {
    echo "$said"
    exit 1
}
case $said in
*'Tested: 2 | Passing: 2'*) ;;
*)
    echo "unwind_sampling: there should be two such tests: $said"
    exit 1
    ;;
esac
