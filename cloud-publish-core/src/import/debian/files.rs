//! Which files are images, told by their endings.

use crate::disk::Format;

/// The packings that a file's name can tell, and the key's word for each.
const PACKINGS: [&str; 3] = ["xz", "gz", "zst"];
/// Formats in the order in which they are taken where a build has several.
const FORMATS: [Format; 3] = [Format::Qcow2, Format::Raw, Format::Vhd];

/// An image file's name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// What comes before the ending.
    pub stem: String,
    /// The ending without its first dot: `qcow2`, `tar.xz`.
    pub ending: String,
    /// The format of the disk in it.
    pub format: Format,
    /// What is around the disk, as the manifest's `packed` says it.
    pub packed: Option<String>,
}

impl ImageFile {
    /// Takes a name apart; `None` when it does not end like an image.
    pub fn of(name: &str) -> Option<Self> {
        // A stem has dots of its own: the longest ending counts.
        let mut dots = name.match_indices('.');
        dots.find_map(|(at, _)| {
            let (stem, rest) = name.split_at_checked(at)?;
            let ending = rest.strip_prefix('.')?;
            let (format, packed) = meaning(ending)?;
            (!stem.is_empty()).then(|| Self {
                stem: stem.to_owned(),
                ending: ending.to_owned(),
                format,
                packed: packed.map(ToOwned::to_owned),
            })
        })
    }

    /// The smaller, the rather it is taken.
    pub(super) fn rank(&self) -> (bool, usize) {
        (self.packed.is_some(), FORMATS.iter().position(|format| *format == self.format).unwrap_or(FORMATS.len()))
    }
}

/// Whether files of this ending are images: `qcow2`, `tar.xz`.
pub fn is_image_ending(ending: &str) -> bool {
    meaning(ending).is_some()
}

/// What an ending says.
fn meaning(ending: &str) -> Option<(Format, Option<&str>)> {
    let (inner, packing) = match ending.rsplit_once('.') {
        Some((inner, packing)) if PACKINGS.contains(&packing) => (inner, Some(packing)),
        _ => (ending, None),
    };
    if inner == "tar" {
        return Some((Format::Raw, Some(ending)));
    }
    let format = FORMATS.into_iter().find(|format| format.as_str() == inner)?;
    Some((format, packing))
}

#[cfg(test)]
mod tests {
    use super::ImageFile;
    use crate::disk::Format;

    #[test]
    fn an_ending_tells_format_and_packing() {
        let of = |name: &str| ImageFile::of(name).map(|file| (file.stem, file.format, file.packed));
        let image = |stem: &str, format, packed: Option<&str>| Some((stem.into(), format, packed.map(Into::into)));
        assert_eq!(of("a-1.0.qcow2"), image("a-1.0", Format::Qcow2, None));
        assert_eq!(of("a.raw.xz"), image("a", Format::Raw, Some("xz")));
        assert_eq!(of("a.tar"), image("a", Format::Raw, Some("tar")));
        assert_eq!(of("a.tar.zst"), image("a", Format::Raw, Some("tar.zst")));
        for other in ["SHA512SUMS", "a.json", "a.xz", ".raw", "a.raw.bz2", "a.raw.asc", "raw"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
