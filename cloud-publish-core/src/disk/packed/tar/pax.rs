//! PAX records: what they say of the next member.

/// What PAX records say of the next member.
#[derive(Debug, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// `GNU.sparse.*`
    pub(super) sparse: Sparse,
}

#[derive(Debug, Default)]
pub(super) struct Sparse {
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// The map is the begin of the member's data.
    pub(super) in_data: bool,
    /// Offsets and lengths in turn.
    pub(super) map: Vec<u64>,
}

impl Pax {
    /// Reads records of the form `LENGTH KEY=VALUE\n`; the length counts itself.
    pub(super) fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut pax = Self::default();
        while !bytes.is_empty() {
            let space = bytes.iter().position(|byte| *byte == b' ')?;
            let length = usize::try_from(decimal(bytes.get(..space)?)?).ok()?;
            let (record, rest) = bytes.split_at_checked(length)?;
            let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            pax.take(record.get(..equals)?, record.get(equals + 1..)?)?;
            bytes = rest;
        }
        Some(pax)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let sparse = &mut self.sparse;
        match key {
            b"path" => self.path = Some(value.to_owned()),
            b"size" => self.size = Some(decimal(value)?),
            b"GNU.sparse.name" => sparse.name = Some(value.to_owned()),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => sparse.size = Some(decimal(value)?),
            b"GNU.sparse.major" => sparse.in_data = decimal(value)? == 1,
            b"GNU.sparse.map" if value.is_empty() => {}
            b"GNU.sparse.map" => {
                for number in value.split(|byte| *byte == b',') {
                    sparse.map.push(decimal(number)?);
                }
            }
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => sparse.map.push(decimal(value)?),
            // Times, owners, extended attributes: nothing that decides about the content.
            _ => {}
        }
        Some(())
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}
