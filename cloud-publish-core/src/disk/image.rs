//! The disk: an image file that passed every structural rule.

use std::path::{Path, PathBuf};

use super::boot::{BootStructure, inspect};
use super::digests::{Layer, Wanted, Watch};
use super::extent::Extent;
use super::format::Format;
use super::hashing::{Hashes, Sums};
use super::magic;
use super::packed::{Packed, Packing, Task, Unpacked, unpack};
#[cfg(feature = "qcow2")]
use super::qcow2::Qcow2;
use super::size::check_size;
use super::source::Source;
use super::vhd::Vhd;
use super::view::View;
use crate::error::{Error, Kind, Result};

/// Names an image file and what is declared about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSource {
    /// The file. A symbolic link is followed once.
    pub path: PathBuf,
    /// Its declared format; nothing is guessed. Of a packed file, the format of what is inside.
    pub format: Format,
    /// What is around it, if anything.
    pub packed: Option<Packed>,
    /// The largest virtual size accepted, in bytes.
    pub max_size: u64,
}

impl DiskSource {
    /// 2 TiB, the most that a disk with an MBR can address: no boot disk is meant to be larger.
    pub const DEFAULT_MAX_SIZE: u64 = 2 << 40;

    /// A file of a format, with the default limit.
    pub fn new(path: impl Into<PathBuf>, format: Format) -> Self {
        Self { path: path.into(), format, packed: None, max_size: Self::DEFAULT_MAX_SIZE }
    }

    /// The same file, packed; see [`Packed::work_dir`] for the folder.
    pub fn packed(self, packing: Packing, work_dir: impl Into<PathBuf>) -> Self {
        Self { packed: Some(Packed { packing, work_dir: work_dir.into() }), ..self }
    }
}

/// A disk image, open and structurally sound.
///
/// All methods block; asynchronous callers go through `tokio::task::spawn_blocking`. Shared as `Arc<Disk>`.
#[derive(Debug)]
pub struct Disk {
    given: Source,
    unpacked: Option<Unpacked>,
    format: Format,
    content: Content,
    boot: BootStructure,
}

/// Where the content is in the disk's own file.
#[derive(Debug)]
enum Content {
    Whole,
    Vhd(Vhd),
    #[cfg(feature = "qcow2")]
    Qcow2(Box<Qcow2>),
}

impl Disk {
    /// Opens and checks an image file.
    ///
    /// # Behaviour
    /// Reads headers and tables only, on the one descriptor that everything later reads too. Never waits: a FIFO is
    /// refused at once. A disk without partition table, or with an MBR, is accepted; a damaged GPT is not. A packed file
    /// is unpacked: see [`Disk::open_watched`].
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when the file breaks a rule, [`Kind::Unsupported`] for a format that this build cannot
    /// read, [`Kind::NotFound`] and [`Kind::Storage`] when the file system refuses.
    pub fn open(source: &DiskSource) -> Result<Self> {
        Self::open_watched(source, Wanted::default(), &())
    }

    /// Opens and checks an image file that may be packed.
    ///
    /// # Behaviour
    /// As [`Disk::open`]. A packed file is read once from begin to end, which tells `watch` the bytes of the file as
    /// given, and unpacked into a sparse file without a name in its work directory, which lives as long as the disk or
    /// the process. The digests that are `wanted` of it, and the content's where the disk is raw, are computed in the
    /// same pass; [`Disk::digests`] does not read for them again. Takes at most 160 MiB, most of it what the packer's
    /// dictionary asks for.
    ///
    /// # Errors
    /// As [`Disk::open`]; [`Kind::InvalidInput`] also when unpacking gives more than [`DiskSource::max_size`] or takes
    /// too much memory, [`Kind::Storage`] when the work directory has no room, [`Kind::Cancelled`] when `watch` asks to
    /// stop.
    pub fn open_watched(source: &DiskSource, wanted: Wanted, watch: &dyn Watch) -> Result<Self> {
        Self::open_checked(source, wanted, watch).map_err(|error| error.with("file", source.path.display()))
    }

    fn open_checked(source: &DiskSource, wanted: Wanted, watch: &dyn Watch) -> Result<Self> {
        let given = Source::open(&source.path)?;
        if given.size() == 0 {
            return Err(Error::new(Kind::InvalidInput, "the disk image is empty").hint("build or copy it again"));
        }
        let packing = source.packed.as_ref().map(|packed| packed.packing);
        let unpacked = match &source.packed {
            None => None,
            Some(packed) if packed.packing.is_tar() && source.format != Format::Raw => {
                let message = format!("a {} holds a raw disk, not one of format {}", packed.packing, source.format);
                return Err(Error::new(Kind::InvalidInput, message).hint("set `format = \"raw\"`"));
            }
            Some(packed) => {
                magic::confirm_packing(packed.packing, source.format, &given)?;
                Some(unpack(&given, &task(source, packed, wanted), watch)?)
            }
        };
        let file = unpacked.as_ref().map_or(&given, |unpacked| &unpacked.file);
        if file.size() == 0 {
            return Err(Error::new(Kind::InvalidInput, "the packed disk image is empty").hint("build or copy it again"));
        }
        magic::confirm(source.format, packing, file)?;
        let content = Content::open(source, file)?;
        let mut disk = Self { given, unpacked, format: source.format, content, boot: BootStructure::default() };
        check_size(disk.virtual_size(), source.max_size)?;
        disk.boot = inspect(disk.content())?;
        Ok(disk)
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        self.given.path()
    }

    /// The format of the disk's own file.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What is around the disk's own file, if anything.
    pub fn packing(&self) -> Option<Packing> {
        self.unpacked.as_ref().map(|unpacked| unpacked.packing)
    }

    /// The size of the disk's own file, in bytes.
    pub fn file_size(&self) -> u64 {
        self.file().size()
    }

    /// The size of the file as given, in bytes; the same unless the disk is packed.
    pub fn given_size(&self) -> u64 {
        self.given.size()
    }

    /// The size of the disk that a guest sees, in bytes: a multiple of 512, never 0.
    pub fn virtual_size(&self) -> u64 {
        self.content().size()
    }

    /// What there is to boot from.
    pub fn boot(&self) -> BootStructure {
        self.boot
    }

    /// Where the content has data: sorted, not touching, everything else is zeros.
    ///
    /// # Behaviour
    /// Of raw this is what the file system reports (one extent, where it knows no holes), of qcow2 the clusters that
    /// are allocated and not flagged as zero. Data may still be zeros.
    ///
    /// # Errors
    /// [`Kind::Storage`] when reading fails.
    pub fn extents(&self) -> Result<Vec<Extent>> {
        self.content().data(0, self.virtual_size()).collect::<Result<_>>().map_err(|e| self.named(e))
    }

    /// Fills `buffer` with the content at `offset`; holes become zeros without touching the file.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] past the end, [`Kind::Storage`] when reading fails, [`Kind::InvalidInput`] when a
    /// compressed cluster is damaged or the file became shorter.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.content().read(offset, buffer).map_err(|e| self.named(e))
    }

    /// Where the disk's own file has data, as [`Disk::extents`].
    ///
    /// # Errors
    /// As [`Disk::extents`].
    pub fn file_extents(&self) -> Result<Vec<Extent>> {
        self.file().data(0, self.file_size()).collect::<Result<_>>().map_err(|e| self.named(e))
    }

    /// Fills `buffer` with the disk's own file at `offset`.
    ///
    /// # Errors
    /// As [`Disk::read_at`].
    pub fn read_file_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.file().read(offset, buffer).map_err(|e| self.named(e))
    }

    /// Where the file as given has data, as [`Disk::extents`].
    ///
    /// # Errors
    /// As [`Disk::extents`].
    pub fn given_extents(&self) -> Result<Vec<Extent>> {
        self.given.data(0, self.given_size()).collect::<Result<_>>().map_err(|e| self.named(e))
    }

    /// Fills `buffer` with the file as given at `offset`.
    ///
    /// # Errors
    /// As [`Disk::read_at`].
    pub fn read_given_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.given.read(offset, buffer).map_err(|e| self.named(e))
    }

    /// Refuses when size, modification time, change time or inode of the file as given are not what they were at the
    /// beginning. A change of links or permissions counts, too: it moves the change time.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when it was changed.
    pub fn check_unchanged(&self) -> Result<()> {
        self.given.check_unchanged().map_err(|e| self.named(e))
    }

    pub(super) fn named(&self, error: Error) -> Error {
        error.with("file", self.path().display())
    }

    pub(super) fn given(&self) -> &dyn View {
        &self.given
    }

    pub(super) fn file(&self) -> &dyn View {
        self.unpacked.as_ref().map_or(&self.given, |unpacked| &unpacked.file)
    }

    pub(super) fn content(&self) -> &dyn View {
        match &self.content {
            Content::Whole => self.file(),
            Content::Vhd(vhd) => vhd,
            #[cfg(feature = "qcow2")]
            Content::Qcow2(qcow2) => qcow2.as_ref(),
        }
    }

    /// The sums that unpacking has shown.
    pub(super) fn known(&self, layer: Layer) -> Sums {
        match &self.unpacked {
            Some(unpacked) if layer == Layer::Given => unpacked.given_sums.clone(),
            Some(unpacked) if layer == Layer::of_file(self.format) => unpacked.file_sums.clone(),
            _ => Sums::default(),
        }
    }
}

impl Content {
    fn open(source: &DiskSource, file: &Source) -> Result<Self> {
        match source.format {
            Format::Raw => Ok(Self::Whole),
            Format::Vhd => Vhd::open(file).map(Self::Vhd),
            #[cfg(feature = "qcow2")]
            Format::Qcow2 => Ok(Self::Qcow2(Box::new(Qcow2::open(file, source.max_size)?))),
            #[cfg(not(feature = "qcow2"))]
            Format::Qcow2 => Err(Error::new(Kind::Unsupported, "this build cannot read disk images of format qcow2")
                .hint("build it with the feature `qcow2`, or convert the image with `qemu-img convert -O raw`")),
        }
    }
}

fn task<'a>(source: &DiskSource, packed: &'a Packed, wanted: Wanted) -> Task<'a> {
    let of_given = Hashes { sha256: wanted.given_sha256, sha512: wanted.given_sha512 };
    let of_file = Hashes { sha256: source.format == Format::Raw, sha512: wanted.file_sha512 };
    Task { packed, format: source.format, max_size: source.max_size, hashes: (of_given, of_file) }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Disk, DiskSource};
    use crate::disk::boot::PartitionTable;
    use crate::disk::format::Format;
    use crate::disk::testing::{Gpt, Scratch, noise};
    use crate::error::Kind;

    #[test]
    fn a_raw_disk_is_described() {
        let file = Scratch::new(&Gpt::new(512).build());
        let disk = file.open(Format::Raw).unwrap();
        assert_eq!((disk.format(), disk.file_size(), disk.virtual_size()), (Format::Raw, 1 << 20, 1 << 20));
        assert_eq!((disk.path(), disk.boot().table, disk.boot().esp), (file.path(), PartitionTable::Gpt, true));
        disk.check_unchanged().unwrap();
    }

    #[test]
    fn sizes_that_no_disk_has_are_refused() {
        for size in [0, 1, 511, 513] {
            let error = Scratch::sparse(size, &[]).open(Format::Raw).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput);
            assert!(error.context("file").is_some());
        }
        let file = Scratch::sparse(1 << 20, &[]);
        let at_limit = DiskSource { max_size: 1 << 20, ..DiskSource::new(file.path(), Format::Raw) };
        Disk::open(&at_limit).unwrap();
        let error = Disk::open(&DiskSource { max_size: (1 << 20) - 1, ..at_limit }).unwrap_err();
        assert!(error.message().contains("larger than allowed"), "{error}");
    }

    #[test]
    fn a_damaged_gpt_is_refused_at_opening() {
        let file = Scratch::new(&Gpt::new(512).patched(80, 0).build());
        assert!(file.open(Format::Raw).unwrap_err().message().contains("GPT"));
    }

    #[test]
    fn a_sparse_terabyte_opens_and_lists_its_data_at_once() {
        let data = noise(65_536);
        let file = Scratch::sparse(1 << 40, &[(700 << 30, &data)]);
        let start = Instant::now();
        let disk = file.open(Format::Raw).unwrap();
        let extents = disk.extents().unwrap();
        assert_eq!(extents, disk.file_extents().unwrap());
        assert!(start.elapsed().as_secs() < 2, "holes were read");
        assert_eq!(extents.iter().map(|extent| extent.length).sum::<u64>(), 65_536);
        let mut found = vec![1; 65_536 + 1024];
        disk.read_at((700 << 30) - 512, &mut found).unwrap();
        assert_eq!(found, [&[0; 512], data.as_slice(), &[0; 512]].concat());
        disk.read_file_at((1 << 40) - 512, &mut [0; 512]).unwrap();
        assert_eq!(disk.read_at(1 << 40, &mut [0; 1]).unwrap_err().kind(), Kind::Unexpected);
    }

    #[cfg(not(feature = "qcow2"))]
    #[test]
    fn without_the_feature_qcow2_is_refused_by_name() {
        let error = Scratch::sparse(1 << 20, &[(0, b"QFI\xfb")]).open(Format::Qcow2).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.message().contains("qcow2"), "{error}");
    }
}
