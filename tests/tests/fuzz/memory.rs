//! Counts what is allocated, and refuses what no honest input needs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most that reading an input may take, in bytes, over what was there before.
pub(crate) const MOST: usize = 64 << 20;
/// One request above this fails, which ends the process: the machine must not pay for a lying header.
const REFUSED: usize = 1 << 30;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted. What other threads of the process take counts, too.
pub(crate) struct Counted;

fn taken(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::Relaxed).wrapping_add(bytes);
    PEAK.fetch_max(now, Ordering::Relaxed);
}

fn given_back(bytes: usize) {
    NOW.fetch_sub(bytes, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "an allocator cannot be written otherwise; this one only counts and forwards")]
// SAFETY: every call goes to the system's allocator with the caller's own arguments, or returns null as it may.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > REFUSED {
            return std::ptr::null_mut();
        }
        taken(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() > REFUSED {
            return std::ptr::null_mut();
        }
        taken(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        given_back(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size > REFUSED {
            return std::ptr::null_mut();
        }
        // Old and new are there at once while it is copied.
        taken(size);
        given_back(layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Runs something, and says how many bytes it had at most.
pub(crate) fn peak_of<T>(what: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = what();
    (result, PEAK.load(Ordering::Relaxed).saturating_sub(before))
}

#[test]
fn what_is_taken_and_given_back_in_between_is_counted() {
    let _alone = crate::harness::alone();
    let (_, peak) = peak_of(|| drop(vec![1_u8; 8 << 20]));
    assert!((8 << 20..MOST).contains(&peak), "{peak}");
}
