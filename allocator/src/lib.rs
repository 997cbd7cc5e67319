//! The two things that a server of imports needs of the C library's allocator: few arenas, and free memory
//! given back to the system.
//!
//! glibc gives threads a part of memory each to allocate from, an arena: up to eight for each core. What is
//! freed in one stays there, for its threads alone. The rows of an import are made, judged and written by
//! threads that change all the time, so that each arena comes to hold what another could use: a tenth of
//! the memory for a million rows on two cores, and more with every core.
//!
//! A crate of its own, for the two calls that are not safe Rust; the others forbid that.

/// Lets this process have twice as many arenas as it has cores, where the C library is glibc; elsewhere
/// does nothing. With half of that threads wait for each other: 7 % of an import's time on SQLite. Whoever
/// has set a number in the environment, by `MALLOC_ARENA_MAX` or `GLIBC_TUNABLES=glibc.malloc.arena_max=…`,
/// keeps that.
///
/// To be called before threads are started: it takes no arena away. See mallopt(3), `M_ARENA_MAX`.
pub fn limit_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::limit_arenas();
}

/// Gives memory that has been freed back to the system, where the C library is glibc; elsewhere does nothing.
/// By itself glibc gives back only what is free at the end of an arena, and a few small allocations there keep
/// the hundreds of MiB of a large import with the process.
///
/// Takes the lock of each arena in turn, for some milliseconds for each hundred MiB: call it on a thread that may
/// block. See `malloc_trim(3)`.
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
