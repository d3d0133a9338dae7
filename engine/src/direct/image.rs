// SPDX-License-Identifier: Apache-2.0
//! A guest's memory as it was when its instance was made, and how to get back there.
//!
//! Which pages were written is known to the kernel: PAGEMAP_SCAN (linux, Documentation/admin-guide/mm/pagemap.rst; since 6.7) lists those
//! that are private to the process. Pages that were written once stay private and are put back each time; an instance that has more than
//! a few of them is not worth keeping. Without that call small memories are put back whole.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::LazyLock;

const PAGE_BYTES: usize = 4096;
/// What may be put back: below it, copying costs less than a new instance.
const PAGES_MAX: usize = 64;
const REGIONS_MAX: usize = 32;
/// A memory that is put back whole.
const WHOLE_BYTES_MAX: usize = 128 << 10;
/// Larger memories have no image, which would take as much again.
const MEMORY_BYTES_MAX: usize = 16 << 20;

/// The pages up to the last that is not zero, and how long the memory is.
pub struct Image {
    contents: Vec<u8>,
    memory_bytes: usize,
}

impl Image {
    /// `None`: the memory is too large.
    pub fn of(memory: &[u8]) -> Option<Image> {
        if memory.len() > MEMORY_BYTES_MAX {
            return None;
        }
        let end = memory.iter().rposition(|byte| *byte != 0).map_or(0, |last| (last + 1).next_multiple_of(PAGE_BYTES));
        Some(Image { contents: memory[..end.min(memory.len())].to_vec(), memory_bytes: memory.len() })
    }

    /// False: the memory has grown, too much of it was written, or nobody knows what was; then it is as it is, or in part put back.
    pub fn restore(&self, memory: &mut [u8]) -> bool {
        if memory.len() != self.memory_bytes {
            return false;
        }
        let mut regions = [Region::default(); REGIONS_MAX];
        match scan(memory, &mut regions) {
            Scanned::Regions(regions) => {
                let base = memory.as_ptr() as usize;
                for region in regions {
                    let (start, end) = (region.start as usize - base, region.end as usize - base);
                    self.put_back(start, &mut memory[start..end]);
                }
                true
            }
            Scanned::Unknown if memory.len() <= WHOLE_BYTES_MAX => {
                self.put_back(0, memory);
                true
            }
            Scanned::TooMany | Scanned::Unknown => false,
        }
    }

    fn put_back(&self, start: usize, pages: &mut [u8]) {
        let contents = self.contents.get(start..).unwrap_or(&[]);
        let (image, zeros) = pages.split_at_mut(contents.len().min(pages.len()));
        image.copy_from_slice(&contents[..image.len()]);
        zeros.fill(0);
    }
}

/// `struct page_region` of linux/fs.h.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// `struct pm_scan_arg` of linux/fs.h.
#[repr(C)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

const PAGE_IS_FILE: u64 = 1 << 2;
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_SWAPPED: u64 = 1 << 4;
const PAGE_IS_PFNZERO: u64 = 1 << 5;
/// `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: libc::Ioctl = 0xc060_6610_u32 as libc::Ioctl;
const _: () = assert!(size_of::<ScanArguments>() == 96);

enum Scanned<'a> {
    Regions(&'a [Region]),
    TooMany,
    /// The kernel does not know the call, or may not be asked.
    Unknown,
}

static PAGEMAP: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/pagemap").ok());

/// The pages of `memory` that are the process's own: written at some time, in memory or swapped out.
fn scan<'a>(memory: &[u8], regions: &'a mut [Region; REGIONS_MAX]) -> Scanned<'a> {
    let Some(pagemap) = &*PAGEMAP else { return Scanned::Unknown };
    let start = memory.as_ptr() as u64;
    let mut arguments = ScanArguments {
        size: size_of::<ScanArguments>() as u64,
        flags: 0,
        start,
        end: start + memory.len() as u64,
        walk_end: 0,
        vec: regions.as_mut_ptr() as u64,
        vec_len: regions.len() as u64,
        max_pages: PAGES_MAX as u64 + 1,
        category_inverted: PAGE_IS_FILE | PAGE_IS_PFNZERO,
        category_mask: PAGE_IS_FILE | PAGE_IS_PFNZERO,
        category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
        return_mask: PAGE_IS_PRESENT,
    };
    // SAFETY: the arguments are those of the call, `vec` has room for `vec_len` regions, and all of it outlives the call.
    let found = unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN, &raw mut arguments) };
    let Ok(found) = usize::try_from(found) else { return Scanned::Unknown };
    let regions = &regions[..found];
    let pages: u64 = regions.iter().map(|region| (region.end - region.start) / PAGE_BYTES as u64).sum();
    if pages > PAGES_MAX as u64 || arguments.walk_end < arguments.end {
        return Scanned::TooMany;
    }
    Scanned::Regions(regions)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Anonymous memory of its own, as a guest's is.
    struct Mapping(*mut u8, usize);

    impl Mapping {
        fn new(bytes: usize) -> Mapping {
            let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            // SAFETY: a new mapping overlaps nothing.
            let at = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
            assert_ne!(at, libc::MAP_FAILED);
            Mapping(at.cast(), bytes)
        }

        fn bytes(&mut self) -> &mut [u8] {
            // SAFETY: mapped until dropped.
            unsafe { std::slice::from_raw_parts_mut(self.0, self.1) }
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: mapped in `new`.
            unsafe { libc::munmap(self.0.cast(), self.1) };
        }
    }

    #[test]
    fn written_pages_come_back() {
        let mut mapping = Mapping::new(1 << 20);
        mapping.bytes()[5000..5003].copy_from_slice(b"abc");
        let image = Image::of(mapping.bytes()).unwrap();
        let before = mapping.bytes().to_vec();
        for at in [0, 5001, 8191, 8192, 300_000, (1 << 20) - 1] {
            mapping.bytes()[at] = 0xee;
        }
        if image.restore(mapping.bytes()) {
            assert!(mapping.bytes() == before, "restored, but not as it was");
        } else {
            assert!(matches!(scan(mapping.bytes(), &mut [Region::default(); REGIONS_MAX]), Scanned::Unknown));
        }
    }

    #[test]
    fn a_memory_that_grew_or_was_written_all_over_is_not_restored() {
        let mut mapping = Mapping::new(1 << 20);
        let image = Image::of(&mapping.bytes()[..65536]).unwrap();
        assert!(!image.restore(mapping.bytes()));
        let image = Image::of(mapping.bytes()).unwrap();
        mapping.bytes().fill(1);
        assert!(!image.restore(mapping.bytes()));
    }

    #[test]
    fn too_many_holes_between_written_pages() {
        let mut mapping = Mapping::new(1 << 20);
        let image = Image::of(mapping.bytes()).unwrap();
        for page in (0..2 * (REGIONS_MAX + 1)).step_by(2) {
            mapping.bytes()[page * PAGE_BYTES] = 1;
        }
        assert!(!image.restore(mapping.bytes()));
    }

    #[test]
    fn small_memories_are_put_back_whole() {
        let mut memory = vec![0u8; 65536];
        memory[7] = 7;
        let image = Image::of(&memory).unwrap();
        memory[7] = 8;
        memory[60_000] = 1;
        image.put_back(0, &mut memory);
        assert_eq!((memory[7], memory[60_000]), (7, 0));
    }
}
