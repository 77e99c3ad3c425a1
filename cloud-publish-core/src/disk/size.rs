//! The sizes that a disk can have.

use crate::error::{Error, Kind, Result};

/// The smallest unit of a disk, in bytes.
const SECTOR: u64 = 512;

/// Refuses a virtual size that is 0, no whole number of sectors, or above the limit.
pub(super) fn check_size(size: u64, max: u64) -> Result<()> {
    if size == 0 {
        return Err(Error::new(Kind::InvalidInput, "the disk has no size").hint("build or copy it again"));
    }
    if !size.is_multiple_of(SECTOR) {
        return Err(Error::new(Kind::InvalidInput, "the size of the disk is not a multiple of 512 bytes")
            .with("bytes", size)
            .hint("the file is perhaps incomplete, or not of the declared format"));
    }
    if size > max {
        return Err(Error::new(Kind::InvalidInput, "the disk is larger than allowed")
            .with("bytes", size)
            .with("limit", max)
            .hint("boot images grow on the instance: build it as small as its content allows"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_size;

    #[test]
    fn whole_sectors_up_to_the_limit_are_a_size() {
        for good in [512, 1024, 4096] {
            check_size(good, 4096).unwrap();
        }
        for bad in [0, 1, 511, 513, 4096 + 512, u64::MAX] {
            assert!(check_size(bad, 4096).is_err(), "{bad}");
        }
    }
}
