//! The two settings that an import server needs of the C library's allocator: few arenas, and returning
//! free memory to the system.
//!
//! glibc lets threads allocate from a part of memory of their own, an arena: up to eight for each core.
//! Freed memory stays in its arena, for its threads only. The rows of an import are made, judged and
//! written by changing threads, so that each arena comes to hold memory that another could use: a tenth of
//! the memory for a million rows on two cores, and more with every core.
//!
//! A crate of its own, for the two calls that are not safe Rust; the others forbid that.

/// Limits this process to twice as many arenas as it has cores, if the C library is glibc; does nothing on
/// other systems. With half as many, threads wait for each other: 7 % of an import's time on SQLite. A
/// number in the environment, in `MALLOC_ARENA_MAX` or `GLIBC_TUNABLES=glibc.malloc.arena_max=…`, is kept.
///
/// To be called before threads are started: it takes no arena away. See mallopt(3), `M_ARENA_MAX`.
pub fn limit_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::limit_arenas();
}

/// Returns freed memory to the system, if the C library is glibc; does nothing on other systems. By itself
/// glibc returns only the free end of an arena, and a few small allocations there keep the hundreds of MiB
/// of a large import with the process.
///
/// Takes the lock of each arena in turn, for some milliseconds per hundred MiB: call it on a thread that
/// may block. See `malloc_trim(3)`.
pub fn release_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::release_free_memory();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    use std::{env, ffi::c_int, num::NonZero, thread};

    pub fn limit_arenas() {
        let told = env::var_os("MALLOC_ARENA_MAX").is_some()
            || env::var("GLIBC_TUNABLES")
                .is_ok_and(|tunables| tunables.contains("glibc.malloc.arena_max"));
        if told {
            return;
        }
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        set_most(c_int::try_from(2 * cores).unwrap_or(c_int::MAX));
    }

    /// `mallopt` refuses no number of arenas.
    #[expect(unsafe_code, reason = "a call of C, which has no safe wrapper")]
    fn set_most(arenas: c_int) {
        // SAFETY: takes two numbers and no pointer, and glibc allows it at any time, from any thread.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, arenas);
        }
    }

    #[expect(unsafe_code, reason = "a call of C, which has no safe wrapper")]
    pub fn release_free_memory() {
        // SAFETY: takes a number and no pointer, and glibc allows it at any time, from any thread.
        unsafe {
            libc::malloc_trim(0);
        }
    }
}
