//! The annotation with which Debian's build manifests give a file's digest: `sha512:` and base64 without padding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Its name.
pub(crate) const DIGEST: &str = "cloud.debian.org/digest";

/// Writes a digest.
pub(crate) fn digest_text(sha512: &[u8; 64]) -> String {
    format!("sha512:{}", STANDARD_NO_PAD.encode(sha512))
}

/// Reads a digest; other writers pad it. `None` when it is of another kind or damaged.
pub(crate) fn sha512_of(text: &str) -> Option<[u8; 64]> {
    let digits = text.strip_prefix("sha512:")?.trim_end_matches('=');
    STANDARD_NO_PAD.decode(digits).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{digest_text, sha512_of};

    #[test]
    fn digests_are_written_without_and_read_with_or_without_padding() {
        let text = digest_text(&[7; 64]);
        assert!(!text.ends_with('='));
        assert_eq!(sha512_of(&text), Some([7; 64]));
        assert_eq!(sha512_of(&format!("{text}==")), Some([7; 64]));
        for bad in ["", "sha512:", "sha256:AAAA", "sha512:AAAA", "sha512:é"] {
            assert_eq!(sha512_of(bad), None, "{bad}");
        }
    }
}
