//! Where things lie in the state store: the one place that makes and reads these paths.
//!
//! ```text
//! ledger/v1/{release}/{run}/{seq}.json        receipts
//! tombstone/v1/{release}/{run}/{seq}.json     the receipts of deletions
//! approval/v1/{release}/{run}.json            what people approved
//! gate/v1/{release}/{run}/{seq}-{step}.log    what gates printed
//! lease/{place}/{term}.json                   leases
//! ```
//! Deletions lie apart, so that all tombstones can be read without reading every receipt of every release. Numbers have
//! ten digits, so that stores list them in order.

use object_store::path::Path;
use sha2::{Digest as _, Sha256};

use crate::digest::hex;
use crate::error::{Error, Kind, Result};
use crate::identity::Place;
use crate::ledger::RunId;
use crate::names::ReleaseName;
use crate::plan::StepId;

/// Where the receipts of all releases lie.
pub(super) const RECEIPTS: &str = "ledger/v1";
/// Where the receipts of deletions lie.
pub(super) const TOMBSTONES: &str = "tombstone/v1";
/// Where the approvals of all releases lie.
pub(super) const APPROVALS: &str = "approval/v1";
const OUTPUTS: &str = "gate/v1";
const LEASES: &str = "lease";
const DIGITS: usize = 10;

fn parse(text: &str) -> Result<Path> {
    Path::parse(text)
        .map_err(|error| Error::new(Kind::Storage, "a name cannot be a path in the state").caused_by(error))
}

/// A whole folder of entries, such as [`RECEIPTS`].
pub(super) fn folder(root: &str) -> Result<Path> {
    parse(root)
}

/// The entries of one release below `root`.
pub(super) fn release(root: &str, release: &ReleaseName) -> Result<Path> {
    parse(&format!("{root}/{release}"))
}

/// One entry below `root`.
pub(super) fn entry(root: &str, release: &ReleaseName, run: RunId, seq: u64) -> Result<Path> {
    parse(&format!("{root}/{release}/{run}/{seq:0DIGITS$}.json"))
}

/// The approval that one call wrote.
pub(super) fn approval(release: &ReleaseName, run: RunId) -> Result<Path> {
    parse(&format!("{APPROVALS}/{release}/{run}.json"))
}

/// What a step printed.
pub(super) fn output(release: &ReleaseName, (run, seq): (RunId, u64), step: &StepId) -> Result<Path> {
    let step: String = step.as_str().chars().map(readable).collect();
    parse(&format!("{OUTPUTS}/{release}/{run}/{seq:0DIGITS$}-{step}.log"))
}

fn readable(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }
}

/// Run and number of an entry, if `path` can be one.
pub(super) fn parse_entry(path: &Path) -> Option<(RunId, u64)> {
    let mut parts = path.as_ref().rsplit('/');
    let seq = parse_number(parts.next()?)?;
    Some((parts.next()?.parse().ok()?, seq))
}

/// The folder of a place's leases: readable words, and a hash that keeps similar places apart.
pub(super) fn leases(place: &Place) -> Result<Path> {
    let account: String = place.account.as_str().chars().map(readable).take(48).collect();
    let mut hash = hex(&Sha256::digest(format!("{}\0{}", place.provider, place.account)));
    hash.truncate(8);
    parse(&format!("{LEASES}/{}-{account}-{hash}", place.provider))
}

/// The lease of one term.
pub(super) fn lease(place: &Place, term: u64) -> Result<Path> {
    parse(&format!("{}/{term:0DIGITS$}.json", leases(place)?))
}

/// The term of a lease, if `path` can be one.
pub(super) fn parse_term(path: &Path) -> Option<u64> {
    parse_number(path.filename()?)
}

fn parse_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;

    use super::{RECEIPTS, entry, lease, parse_entry, parse_term};
    use crate::clock::SystemClock;
    use crate::identity::Place;
    use crate::ledger::RunId;

    fn place(account: &str) -> Place {
        Place { provider: "local".parse().unwrap(), account: account.parse().unwrap() }
    }

    #[test]
    fn entries_are_found_again_by_their_path_and_others_are_not_taken_for_one() {
        let run = RunId::generate(&SystemClock::new());
        let path = entry(RECEIPTS, &"trixie-1+b~2".parse().unwrap(), run, 7).unwrap();
        assert_eq!(path.as_ref(), format!("ledger/v1/trixie-1+b~2/{run}/0000000007.json"));
        assert_eq!(parse_entry(&path), Some((run, 7)));
        for foreign in ["ledger/v1/r/README", "ledger/v1/r/notarun/0000000001.json", "0000000001.json", "a/1.json"] {
            assert_eq!(parse_entry(&Path::parse(foreign).unwrap()), None, "{foreign}");
        }
    }

    #[test]
    fn places_that_read_alike_have_leases_of_their_own() {
        let one = lease(&place("/srv/../public"), 3).unwrap();
        let other = lease(&place("/srv/..+public"), 3).unwrap();
        assert!(one.as_ref().starts_with("lease/local--srv-..-public-"), "{one}");
        assert_eq!(parse_term(&one), Some(3));
        assert_ne!(one, other);
    }
}
