//! Sets the C library's allocator up for an import server: few arenas, large blocks of their own, and free memory that
//! is returned to the system.
//!
//! glibc lets threads allocate from a part of memory of their own, an arena: up to eight for each core.
//! Freed memory stays in its arena, for its threads only. The rows of an import are made, judged and
//! written by changing threads, so that each arena comes to hold memory that another could use: a tenth of
//! the memory for a million rows on two cores, and more with every core.
//!
//! A block that is large enough is not taken from an arena but from the system, and goes back when it is freed. Without
//! a setting, glibc raises that bound to 32 MiB as such blocks are freed, and the lists of a large import, which grow
//! by doubling, leave holes in the arenas. With a bound of 8 MiB, a million rows with long values take 490 MiB at the
//! peak instead of 570, and no more time.
//!
//! A crate of its own, because these calls are not safe Rust, which the other crates forbid.

/// Limits this process to twice as many arenas as it has cores, if the C library is glibc; does nothing on
/// other systems. With half as many, threads wait for each other: 7 % of an import's time on SQLite. A
/// number in the environment, in `MALLOC_ARENA_MAX` or `GLIBC_TUNABLES=glibc.malloc.arena_max=…`, is kept.
///
/// Call it before any thread is started: it does not take away an arena that a thread already has. See mallopt(3),
/// `M_ARENA_MAX`.
pub fn limit_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::limit_arenas();
}

/// Takes blocks of 8 MiB and more from the system instead of an arena, if the C library is glibc; does nothing on other
/// systems. A number in the environment, in `MALLOC_MMAP_THRESHOLD_` or
/// `GLIBC_TUNABLES=glibc.malloc.mmap_threshold=…`, is kept. See mallopt(3), `M_MMAP_THRESHOLD`.
pub fn map_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::map_large_blocks();
}

/// Returns freed memory to the system, if the C library is glibc; does nothing on other systems. Without this call,
/// glibc returns only the free end of an arena, and a few small allocations there keep the hundreds of MiB of a large
/// import with the process.
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

    const LARGE_BLOCK: c_int = 8 * 1024 * 1024;

    pub fn limit_arenas() {
        if is_set("MALLOC_ARENA_MAX", "glibc.malloc.arena_max") {
            return;
        }
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let arenas = c_int::try_from(2 * cores).unwrap_or(c_int::MAX);
        set(libc::M_ARENA_MAX, arenas);
    }

    pub fn map_large_blocks() {
        if !is_set("MALLOC_MMAP_THRESHOLD_", "glibc.malloc.mmap_threshold") {
            set(libc::M_MMAP_THRESHOLD, LARGE_BLOCK);
        }
    }

    /// Returns `true` if the environment sets the parameter, in a variable of its own or among glibc's tunables.
    fn is_set(variable: &str, tunable: &str) -> bool {
        env::var_os(variable).is_some()
            || env::var("GLIBC_TUNABLES").is_ok_and(|tunables| tunables.contains(tunable))
    }

    /// `mallopt` refuses neither any number of arenas nor a bound for blocks of up to 32 MiB.
    #[expect(unsafe_code, reason = "a call of C, which has no safe wrapper")]
    fn set(parameter: c_int, value: c_int) {
        // SAFETY: takes two numbers and no pointer, and glibc allows it at any time, from any thread.
        unsafe {
            libc::mallopt(parameter, value);
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
