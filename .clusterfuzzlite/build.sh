#!/bin/bash -eu
exec "$SRC/bountybox/fuzz/oss-fuzz/build.sh"
