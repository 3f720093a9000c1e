//! Asks whether the machine has AMX and this process may use it, and sets up a thread's tiles.

use std::arch::asm;
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// Proof that the machine has AMX for bf16, and that the kernel lets this process use it.
#[derive(Clone, Copy)]
pub(super) struct Amx(());

impl Amx {
    pub(super) fn new() -> Option<Self> {
        is_available().then_some(Self(()))
    }

    /// Makes all eight tiles of this thread 16 rows of 64 bytes, for as long as the result lives.
    pub(super) fn configure(self) -> Configured {
        if USERS.replace(USERS.get() + 1) == 0 {
            self.load_configuration();
        }
        Configured(PhantomData)
    }

    #[allow(unsafe_code)]
    fn load_configuration(self) {
        #[repr(C, align(64))]
        struct Configuration {
            palette: u8,
            start_row: u8,
            reserved: [u8; 14],
            row_bytes: [u16; 16],
            rows: [u8; 16],
        }
        let mut wanted = Configuration {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes: [0; 16],
            rows: [0; 16],
        };
        wanted.row_bytes[..8].fill(64);
        wanted.rows[..8].fill(16);
        // SAFETY: `self` proves that the machine has the instruction; it reads these 64 bytes.
        unsafe {
            asm!(
                "ldtilecfg [{}]",
                in(reg) &raw const wanted,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack, readonly, preserves_flags),
            );
        }
    }
}

thread_local! {
    /// How many [`Configured`] live on this thread: who looks at a block may multiply too.
    static USERS: Cell<usize> = const { Cell::new(0) };
}

/// Proof that the tiles of this thread are configured; it never leaves the thread.
pub(super) struct Configured(PhantomData<*const ()>);

impl Drop for Configured {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        if USERS.replace(USERS.get() - 1) > 1 {
            return;
        }
        // SAFETY: only a machine with the instruction makes such a value.
        unsafe {
            asm!(
                "tilerelease",
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nomem, nostack, preserves_flags),
            );
        }
    }
}

/// Whether this machine can and this process may; the kernel is asked once.
pub(in super::super) fn is_available() -> bool {
    static READY: OnceLock<bool> = OnceLock::new();
    *READY.get_or_init(|| has_instructions() && tiles_are_saved() && is_permitted())
}

/// Whether the processor has tiles and their bf16 products.
// The intrinsic became a safe function after the oldest compiler that is supported.
#[allow(unsafe_code, unused_unsafe)]
fn has_instructions() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const BF16: u32 = 1 << 22;
    const TILES: u32 = 1 << 24;
    // SAFETY: every x86-64 processor has `cpuid`.
    let leaf = unsafe { (__cpuid(0).eax >= 7).then(|| __cpuid_count(7, 0)) };
    leaf.is_some_and(|leaf| leaf.edx & (BF16 | TILES) == BF16 | TILES)
}

/// Whether the operating system saves tiles and their configuration with a thread.
#[allow(unsafe_code, unused_unsafe)]
fn tiles_are_saved() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const TILES: u32 = 0b11 << 17;
    // SAFETY: as above.
    if unsafe { std::arch::x86_64::__cpuid(1) }.ecx & OSXSAVE == 0 {
        return false;
    }
    let saved: u32;
    // SAFETY: OSXSAVE says that the instruction and register 0 exist.
    unsafe {
        asm!(
            "xgetbv",
            in("ecx") 0,
            out("eax") saved,
            out("edx") _,
            options(nomem, nostack, preserves_flags),
        );
    }
    saved & TILES == TILES
}

/// Asks the kernel for room to save the tiles of this process's threads.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn is_permitted() -> bool {
    const ARCH_PRCTL: isize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    const TILE_DATA: usize = 18;
    let result: isize;
    // SAFETY: the call reads and writes no memory of the process; a kernel that does not know it
    // returns an error.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") TILE_DATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// Other systems ask in other ways, or not at all: untested, so not used.
#[cfg(not(target_os = "linux"))]
fn is_permitted() -> bool {
    false
}
