#!/bin/bash -eu
# What ClusterFuzzLite and OSS-Fuzz run in their builder; the same as by hand: OUT=folder fuzz/oss-fuzz/build.sh. Every target with its seeds and dictionary goes to $OUT.
cd "$(dirname "$0")/../.."
# The builder's own; what this tree is built with stands in rust-toolchain.toml.
unset RUSTUP_TOOLCHAIN
exec tools/fuzz out "${OUT:?a folder for the fuzzers}"
