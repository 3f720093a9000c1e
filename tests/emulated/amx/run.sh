#!/usr/bin/env bash
# Runs the unit tests of the search with the AMX kernels in an emulated machine: see README.md.
# usage: tests/emulated/amx/run.sh [FOLDER [TEST-FILTER...]]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${TMPDIR:-/tmp}/repgeo-amx}
shift || true
[ $# -gt 0 ] || set -- neighbours:: --skip tiles_and_threads_change_no_byte --skip every_kernel_of_the_machine_is_timed
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

say() { printf '\n== %s\n' "$1"; }
fail() { printf 'amx: %s\n' "$1" >&2; exit 1; }

for tool in cargo g++ make patch xz curl apt-get apt-cache dpkg-deb; do
    command -v "$tool" >/dev/null || fail "$tool is missing; this script wants Debian or Ubuntu with a compiler"
done

# --- packages: unpacked into the folder, installed nowhere -------------------------------------

# The packages that a package depends on.
needs() { apt-cache depends "$1" | awk '$1 == "Depends:" && $2 !~ /^</ { print $2 }'; }

fetch() {
    (cd "$folder/debs" && apt-get download "$@" >/dev/null 2>&1) || fail "apt-get download $* failed: is apt-get update done?"
}

root=$folder/root
if [ ! -e "$root/done" ]; then
    say 'packages'
    mkdir -p "$folder/debs" "$root"
    # shellcheck disable=SC2046
    fetch bochsbios vgabios busybox-static isolinux syslinux-common xorriso \
        $(needs xorriso | grep -v '^libc6$') $(needs xorriso | grep '^libisoburn' | while read -r p; do needs "$p"; done | grep -v '^libc6$')
    # A recent kernel, whatever the release of this machine: 6.1 of Debian 12 does not start here.
    archive=http://deb.debian.org/debian
    kernel=$(curl -fsSL $archive/dists/sid/main/binary-amd64/Packages.xz | xz -dc |
        awk '/^Package: /{ found = $2 ~ /^linux-binary-[0-9].*-cloud-amd64$/ } found && /^Filename: /{ print $2 }' |
        sort -V | tail -n 1)
    [ -n "$kernel" ] || fail 'Debian sid has no kernel for clouds'
    curl -fsSL -o "$folder/debs/kernel.deb" "$archive/$kernel"
    for deb in "$folder"/debs/*.deb; do dpkg-deb -x "$deb" "$root"; done
    touch "$root/done"
fi
kernel=$(find "$root" -type f -name 'vmlinuz*' | head -n 1)
busybox=$(find "$root" -type f -path '*bin/busybox' | head -n 1)
xorriso=$(find "$root" -type f -name xorriso | head -n 1)
[ -n "$kernel" ] && [ -n "$busybox" ] && [ -n "$xorriso" ] || fail 'the packages lack a file'

# --- the emulator: Bochs 3.0 with what it lacks for tiles under Linux ---------------------------

bochs=$folder/bochs-3.0/bochs
if [ ! -x "$bochs" ]; then
    say 'emulator'
    source=$folder/bochs.tar.xz
    curl -fsSL -o "$source" 'http://deb.debian.org/debian/pool/main/b/bochs/bochs_3.0%2bdfsg.orig.tar.xz'
    echo "78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b  $source" | sha256sum -c --quiet
    tar -C "$folder" -xf "$source"
    (
        cd "$folder/bochs-3.0"
        patch -p1 <"$here/bochs.patch"
        ./configure --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex --enable-amx \
            --enable-all-optimizations --disable-docbook --with-nogui \
            CFLAGS=-O2 CXXFLAGS='-O2 -fwrapv' >configure.log
        make -j"$(nproc)" >make.log 2>&1
    ) || fail "Bochs was not built: see $folder/bochs-3.0"
fi

# --- the tests: one static program, optimised, with its assertions ------------------------------

say 'tests'
target=x86_64-unknown-linux-gnu
tests=$(
    cd "$here/../.."
    CARGO_PROFILE_DEV_OPT_LEVEL=2 CARGO_PROFILE_DEV_DEBUG=false RUSTFLAGS='-C target-feature=+crt-static' \
        cargo test --locked --lib --no-run --target "$target" --message-format=json-render-diagnostics |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
)
[ -x "$tests" ] || fail 'cargo named no test program'

# --- the machine -------------------------------------------------------------------------------

say 'machine'
disk=$folder/disk
guest=$folder/guest
rm -rf "$disk" "$guest"
mkdir -p "$disk" "$guest/bin"
cp "$busybox" "$guest/bin/"
cp "$tests" "$guest/tests"
cat >"$guest/init" <<EOF
#!/bin/busybox sh
export PATH=/bin
busybox mkdir -p /proc /dev /tmp
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
echo 'guest: up'
RAYON_NUM_THREADS=3 REPGEO_TEST_KERNELS=amx-split,amx /tests --test-threads 1 --nocapture $* 2>&1
echo "guest: status \$?"
busybox sleep 1
busybox poweroff -f
EOF
chmod +x "$guest/init"
(cd "$guest" && find . | "$busybox" cpio -o -H newc 2>/dev/null) >"$disk/initrd.img"
cp "$kernel" "$disk/vmlinuz"
cp "$root/usr/lib/ISOLINUX/isolinux.bin" "$root/usr/lib/syslinux/modules/bios/ldlinux.c32" "$here/isolinux.cfg" "$disk/"
libraries=$(find "$root" -name 'lib*.so*' -printf '%h\n' | sort -u | paste -sd:)
LD_LIBRARY_PATH=$libraries "$xorriso" -as mkisofs -quiet -o "$folder/disk.iso" -b isolinux.bin -c boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$disk" 2>/dev/null
cp "$(find "$root" -name BIOS-bochs-latest | head -n 1)" "$folder/bios.bin"
cp "$(find "$root" -type f -name vgabios.bin | head -n 1)" "$folder/vgabios.bin"

cd "$folder"
rm -f serial.txt
"$bochs" -q -f "$here/bochsrc" </dev/null >bochs.out 2>&1 &
machine=$!
trap 'kill "$machine" 2>/dev/null || true' EXIT
touch serial.txt
tail -n +1 -f --pid="$machine" serial.txt &
while kill -0 "$machine" 2>/dev/null && ! grep -Eq 'guest: status|Kernel panic' serial.txt; do sleep 2; done
sleep 3
kill "$machine" 2>/dev/null || true
grep -q 'guest: up' serial.txt || fail "the machine did not start: see $folder/bochs.log"
if grep -q 'no amx' serial.txt; then fail 'the AMX kernels were skipped'; fi
grep -q 'guest: status 0' serial.txt || fail 'tests failed'
say 'all tests passed'
