//! The packages of a suite, from the index that an archive publishes and apt keeps: `Packages`, plain or packed.
//! <https://wiki.debian.org/DebianRepository/Format#A.22Packages.22_Indices>

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::Wrong;
use super::build::Build;
use crate::error::{Error, Kind, Result};

/// The largest index read, unpacked: 1 GiB. Debian's largest has 60 MiB.
const MOST: u64 = 1 << 30;
/// The most memory that unpacking may take, in KiB: `xz -9` needs 65 MiB.
const XZ_MEMORY_KIB: u32 = 128 << 10;

/// Name, version and architecture of every package of a suite, for some architectures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageIndex {
    archs: BTreeSet<String>,
    /// `name:arch` and version.
    packages: BTreeSet<(String, String)>,
}

impl PackageIndex {
    /// Adds what an index has: a `Packages` file, plain, or packed by gzip or xz.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when it is damaged, has no package, or is larger than 1 GiB unpacked.
    pub fn add(&mut self, index: impl Read) -> Result<()> {
        let mut packed = BufReader::new(index);
        let first = packed.fill_buf().map_err(damaged)?;
        if first.starts_with(&[0x1f, 0x8b]) {
            self.add_plain(MultiGzDecoder::new(packed))
        } else if first.starts_with(b"\xfd7zXZ\0") {
            self.add_plain(XzReader::new_mem_limit(packed, true, XZ_MEMORY_KIB))
        } else {
            self.add_plain(packed)
        }
    }

    fn add_plain(&mut self, index: impl Read) -> Result<()> {
        let before = self.packages.len();
        let mut lines = BufReader::new(index.take(MOST + 1));
        let (mut line, mut read) = (Vec::new(), 0);
        let mut stanza = Stanza::default();
        loop {
            line.clear();
            let length = lines.read_until(b'\n', &mut line).map_err(damaged)?;
            read += length as u64;
            if read > MOST {
                return Err(Error::new(Kind::InvalidInput, "the index of packages is larger than 1 GiB"));
            }
            let text = String::from_utf8_lossy(&line);
            match text.trim_end() {
                "" => self.take(std::mem::take(&mut stanza)),
                field => stanza.note(field),
            }
            if length == 0 {
                break;
            }
        }
        if self.packages.len() == before {
            return Err(Error::new(
                Kind::InvalidInput,
                "the index of packages has no package that is not known already",
            )
            .hint("name a Packages file, such as those in /var/lib/apt/lists"));
        }
        Ok(())
    }

    fn take(&mut self, stanza: Stanza) {
        let Stanza { name: Some(name), version: Some(version), arch: Some(arch) } = stanza else { return };
        self.packages.insert((format!("{name}:{arch}"), version));
        self.archs.insert(arch);
    }

    /// The packages of a build that the suite does not have in this version, as `name=version`, sorted.
    pub(super) fn outside(&self, build: &Build, wrong: &mut Wrong) -> Option<Vec<String>> {
        let arch = &build.info.arch;
        if !self.archs.contains(arch.as_str()) {
            wrong.push(format!("{}: no index of packages for {arch} was given", build.file));
            return None;
        }
        let has = |name: String, version: &String| self.packages.contains(&(name, version.clone()));
        let is_there = |name: &str, version: &String| match name.contains(':') {
            true => has(name.to_owned(), version),
            false => has(format!("{name}:{arch}"), version) || has(format!("{name}:all"), version),
        };
        let outside = build.packages.iter().filter(|(name, version)| !is_there(name, version));
        let outside: BTreeSet<String> = outside.map(|(name, version)| format!("{name}={version}")).collect();
        Some(outside.into_iter().collect())
    }
}

/// The fields of a package that count.
#[derive(Debug, Default)]
struct Stanza {
    name: Option<String>,
    version: Option<String>,
    arch: Option<String>,
}

impl Stanza {
    fn note(&mut self, field: &str) {
        let Some((name, value)) = field.split_once(": ") else { return };
        let place = match name {
            "Package" => &mut self.name,
            "Version" => &mut self.version,
            "Architecture" => &mut self.arch,
            _ => return,
        };
        *place = Some(value.trim().to_owned());
    }
}

fn damaged(error: std::io::Error) -> Error {
    Error::new(Kind::InvalidInput, "the index of packages cannot be read")
        .hint("it is a Packages file, plain or packed by gzip or xz; copy it again if it is damaged")
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::PackageIndex;

    const INDEX: &str = "Package: apt\nArchitecture: amd64\nVersion: 2.6.1\nDescription: x\n Package: no\n\n\
                         Package: adduser\nVersion: 3.134\nArchitecture: all\n";

    /// The same, by `xz`.
    const INDEX_XZ: [&str; 2] = [
        "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AB+AFhdACgYSGbb2jCF/hbe6cpAbmfFG8w/E2VtEjcEuksL1cALaJkjbE+gPyaFrE+Y",
        "5u1zhl18GzX3IQjAiXsym+jJmUQiogta/XRHJWuLG1MBMRnBK6l/x+jDJAAARzmo0Op0gWUAAXR/dGVvqx+2830BAAAAAARZWg==",
    ];

    #[test]
    fn plain_and_packed_indexes_say_the_same() {
        let mut plain = PackageIndex::default();
        plain.add(INDEX.as_bytes()).unwrap();
        assert_eq!((plain.packages.len(), plain.archs.len()), (2, 2));

        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(INDEX.as_bytes()).unwrap();
        let xz = STANDARD.decode(INDEX_XZ.concat()).unwrap();
        for packed in [gzip.finish().unwrap(), xz] {
            let mut index = PackageIndex::default();
            index.add(packed.as_slice()).unwrap();
            assert_eq!(index, plain);
            assert!(PackageIndex::default().add(&packed[..packed.len() - 4]).is_err(), "a truncated one was read");
        }
    }

    #[test]
    fn what_holds_no_packages_is_refused() {
        for other in ["", "hello\n", "Package: apt\n\n"] {
            assert!(PackageIndex::default().add(other.as_bytes()).is_err(), "{other:?}");
        }
    }
}
