//! `SHA512SUMS`, as `sha512sum` writes it: 128 hex digits, a blank, a blank or `*`, a file's name.
//! <https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html>

use std::collections::BTreeMap;

use super::Wrong;
use crate::digest::unhex;

/// The name of the file.
const NAME: &str = "SHA512SUMS";

/// The digests of the files in this very folder, by name.
pub(super) fn parse(bytes: &[u8], wrong: &mut Wrong) -> BTreeMap<String, [u8; 64]> {
    let mut sums = BTreeMap::new();
    for (number, line) in (1..).zip(String::from_utf8_lossy(bytes).lines()) {
        if line.is_empty() {
            continue;
        }
        match entry(line) {
            None => wrong.push(format!("{NAME}:{number}: not a line as sha512sum writes it")),
            Some((name, sum)) => {
                if sums.insert(name.to_owned(), sum).is_some_and(|before| before != sum) {
                    wrong.push(format!("{NAME}:{number}: a second digest of `{name}`, and another one"));
                }
            }
        }
    }
    sums
}

fn entry(line: &str) -> Option<(&str, [u8; 64])> {
    let (digits, rest) = line.split_once(' ')?;
    let name = rest.strip_prefix([' ', '*'])?;
    let name = name.strip_prefix("./").unwrap_or(name);
    (!name.is_empty()).then_some((name, unhex(digits)?))
}

#[cfg(test)]
mod tests {
    use super::super::Wrong;
    use super::parse;

    #[test]
    fn both_modes_of_sha512sum_are_read_and_other_lines_are_named() {
        let (one, two) = ("11".repeat(64), "22".repeat(64));
        let text = format!("{one}  a.raw\n\n{two} *./b.raw\nhello\n{two}  a.raw\n");
        let mut wrong = Wrong::default();
        let sums = parse(text.as_bytes(), &mut wrong);
        assert_eq!(sums.keys().collect::<Vec<_>>(), ["a.raw", "b.raw"]);
        let told = wrong.into_error();
        let lines: Vec<&str> = told.message().lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("SHA512SUMS:4: ") && lines[1].starts_with("SHA512SUMS:5: "), "{lines:?}");
    }
}
