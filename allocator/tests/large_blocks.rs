//! Large blocks go back to the system. Alone in its process, since another thread may get freed memory at once.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::expect_used)]

use user_import_allocator::map_large_blocks;

/// Returns `true` if this address is in memory that the process has from the system.
fn is_mapped(address: usize) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux tells of its processes");
    let bound = |text: &str| usize::from_str_radix(text, 16).expect("an address");
    maps.lines().any(|line| {
        let range = line.split(' ').next().expect("a range");
        let (start, end) = range.split_once('-').expect("two addresses");
        (bound(start)..bound(end)).contains(&address)
    })
}

/// The lists of an import with long values grow by doubling. If their old blocks stayed in an arena, they would be
/// holes there: a million rows with long values took a sixth more memory. Without the setting, the allocator keeps the
/// second of these blocks.
#[test]
fn a_large_block_goes_back_to_the_system_when_it_is_freed() {
    map_large_blocks();
    for _ in 0..2 {
        let block = vec![1_u8; 24 * 1024 * 1024];
        let address = block.as_ptr().addr() + block.len() / 2;
        assert!(is_mapped(address));
        drop(block);
        assert!(!is_mapped(address), "the block stays with the process");
    }
}
