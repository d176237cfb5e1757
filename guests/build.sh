#!/bin/sh
# Builds every guest in src/ to a .wasm beside this script, stripped unless that is what it is for. The results are committed: this is needed only after
# a change in src/, and installs nothing by itself. It needs
#   - zig, as a program on the PATH or as the Python package `ziglang` (pip install ziglang), for the C guests;
#   - wat2wasm of the WebAssembly Binary Toolkit, on the PATH or named by WAT2WASM (npm install wabt), for the .wat ones.
set -eu
cd "$(dirname "$0")"

if command -v zig >/dev/null; then zig=zig
elif python3 -m ziglang version >/dev/null 2>&1; then zig='python3 -m ziglang'
else echo 'build.sh: no zig: put one on the PATH, or pip install ziglang' >&2; exit 1
fi
wat2wasm=${WAT2WASM:-wat2wasm}
command -v "$wat2wasm" >/dev/null || { echo 'build.sh: no wat2wasm: npm install wabt, and name it by WAT2WASM' >&2; exit 1; }

# A stack of 128 KiB in place of zig's 16 MiB keeps a fresh instance small.
c() {
  source=$1; shift
  $zig cc -target wasm32-wasi -std=c17 -O2 -s -Wall -Wextra -Werror -Wl,-z,stack-size=131072 "$@" "src/$source.c" -o "$source.wasm"
}
c demo -mexec-model=reactor -Wl,--export-table,--growable-table
c vocabulary -mexec-model=reactor -Wl,--export-table,--growable-table
c hello
c library -mexec-model=reactor -Wl,--export-table,--growable-table -Wl,--export-dynamic -Wl,--export=library_counter \
  -Wl,--export=library_name -Wl,--export=malloc -Wl,--export=free -Wno-c23-extensions

# Agents share its memory, each with an instance of its own: no stack and no data in memory, so that none disturbs another.
$zig cc -target wasm32-freestanding -mcpu=generic+atomics+bulk_memory+mutable_globals -std=c17 -O2 -s -Wall -Wextra -Werror \
  -nostdlib -Wl,--no-entry,--import-memory,--shared-memory,--initial-memory=262144,--max-memory=67108864 \
  -Wl,-z,stack-size=0,--global-base=1024 src/heap.c -o heap.wasm

# Freestanding, with an allocator of its own, so that it needs no library that exists for 32 bits alone.
for bits in '' 64; do for source in typed changes waiting; do
  $zig cc -target wasm${bits:-32}-freestanding -mcpu=generic -std=c17 -O2 -s -Wall -Wextra -Werror -Wno-builtin-requires-header \
    -fno-builtin -nostdlib -Wl,--no-entry,--export-table,--growable-table,-z,stack-size=65536 "src/$source.c" -o "$source$bits.wasm"
done; done

# Each type of shapes.txt, with what clang knows of it.
awk -f src/shapes.awk src/shapes.txt > shapes.c
for bits in '' 64; do
  $zig cc -target wasm${bits:-32}-freestanding -mcpu=generic -std=c17 -O2 -s -Wno-gnu-empty-struct -nostdlib -Wl,--no-entry \
    shapes.c -o shapes$bits.wasm
done
rm shapes.c

# With debug information, which names the lines of its source.
$zig cc -target wasm32-freestanding -mcpu=generic -std=c17 -O1 -g -Wall -Wextra -Werror -fno-builtin -nostdlib \
  -fdebug-compilation-dir=. -Wl,--no-entry src/crash.c -o crash.wasm

for source in src/*.wat; do
  "$wat2wasm" --enable-threads "$source" -o "$(basename "$source" .wat).wasm"
done

# The ES modules of the tests and of an example stand beside their sources.
for source in ../tests/js/runtime/modules/*.wat ../examples/es-module/*.wat; do
  "$wat2wasm" "$source" -o "${source%.wat}.wasm"
done

chmod 644 ./*.wasm
for guest in *.wasm; do
  size=$(wc -c < "$guest")
  printf '%-16s %6d bytes\n' "$guest" "$size"
  [ "$size" -lt 100000 ] || { echo "build.sh: $guest is larger than 100 KB" >&2; exit 1; }
done
