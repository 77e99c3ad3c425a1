//! A writer of small qcow2 images for tests, byte by byte, which can lie about everything.

use crate::disk::testing::Scratch;

/// What is in one guest cluster.
#[derive(Clone)]
pub(in crate::disk) enum Cluster {
    Hole,
    Zero,
    Data(Vec<u8>),
    /// Stored as a deflate stream.
    Compressed(Vec<u8>),
}

/// The image: header in cluster 0, then refcount table, refcount block, L1 and L2 table, then data.
pub(in crate::disk) struct Builder {
    pub(in crate::disk) version: u32,
    pub(in crate::disk) cluster_bits: u32,
    pub(in crate::disk) clusters: Vec<Cluster>,
    /// Offset in the file, and the bytes put there at the end.
    pub(in crate::disk) patches: Vec<(u64, Vec<u8>)>,
}

impl Builder {
    pub(in crate::disk) const REFCOUNT_TABLE: u64 = 1;
    pub(in crate::disk) const REFCOUNT_BLOCK: u64 = 2;
    pub(in crate::disk) const L1: u64 = 3;
    pub(in crate::disk) const L2: u64 = 4;
    pub(in crate::disk) const DATA: u64 = 5;

    pub(in crate::disk) fn new(clusters: Vec<Cluster>) -> Self {
        Self { version: 3, cluster_bits: 12, clusters, patches: Vec::new() }
    }

    /// A good image with one cluster of each sort; those that it is made of are as long as its clusters.
    pub(in crate::disk) fn sample(version: u32, cluster_bits: u32) -> Self {
        let data = |seed: u8| (0..1_u32 << cluster_bits).map(|n| (n >> 3) as u8 ^ (n as u8) ^ seed | 1).collect();
        let zero = if version == 2 { Cluster::Hole } else { Cluster::Zero };
        let clusters = vec![
            Cluster::Data(data(1)),
            Cluster::Data(data(2)),
            Cluster::Hole,
            zero,
            Cluster::Compressed(data(3)),
            Cluster::Compressed(data(4)),
            Cluster::Hole,
            Cluster::Data(data(5)),
        ];
        Self { version, cluster_bits, ..Self::new(clusters) }
    }

    pub(in crate::disk) fn cluster(&self) -> u64 {
        1 << self.cluster_bits
    }

    pub(in crate::disk) fn patched(mut self, at: u64, bytes: &[u8]) -> Self {
        self.patches.push((at, bytes.to_vec()));
        self
    }

    /// Replaces an entry of the L2 table.
    pub(in crate::disk) fn l2_entry(self, index: u64, entry: u64) -> Self {
        let at = Self::L2 * self.cluster() + index * 8;
        self.patched(at, &entry.to_be_bytes())
    }

    /// The raw disk that a reader must find.
    pub(in crate::disk) fn content(&self) -> Vec<u8> {
        let empty = vec![0; 1 << self.cluster_bits];
        let contents = self.clusters.iter().map(|cluster| match cluster {
            Cluster::Hole | Cluster::Zero => empty.clone(),
            Cluster::Data(bytes) | Cluster::Compressed(bytes) => bytes.clone(),
        });
        contents.collect::<Vec<_>>().concat()
    }

    pub(in crate::disk) fn build(&self) -> Vec<u8> {
        let cluster = self.cluster();
        let mut header = b"QFI\xfb".to_vec();
        let word = |header: &mut Vec<u8>, value: u32| header.extend(value.to_be_bytes());
        let long = |header: &mut Vec<u8>, value: u64| header.extend(value.to_be_bytes());
        word(&mut header, self.version);
        long(&mut header, 0);
        word(&mut header, 0);
        word(&mut header, self.cluster_bits);
        long(&mut header, self.clusters.len() as u64 * cluster);
        word(&mut header, 0);
        word(&mut header, 1);
        long(&mut header, Self::L1 * cluster);
        long(&mut header, Self::REFCOUNT_TABLE * cluster);
        word(&mut header, 1);
        word(&mut header, 0);
        long(&mut header, 0);
        if self.version == 3 {
            [0, 0, 0].into_iter().for_each(|features| long(&mut header, features));
            word(&mut header, 4);
            word(&mut header, 104);
        }
        let mut file = vec![0; usize::try_from(Self::DATA * cluster).unwrap()];
        let mut put = |at: u64, bytes: &[u8]| {
            let at = usize::try_from(at).unwrap();
            let end = at + bytes.len();
            file.resize(file.len().max(end), 0);
            file[at..end].copy_from_slice(bytes);
        };
        put(0, &header);
        put(Self::REFCOUNT_TABLE * cluster, &(Self::REFCOUNT_BLOCK * cluster).to_be_bytes());
        put(Self::L1 * cluster, &((1 << 63) | (Self::L2 * cluster)).to_be_bytes());
        let mut next = Self::DATA * cluster;
        for (index, content) in (0..).zip(&self.clusters) {
            let entry = match content {
                Cluster::Hole => 0,
                Cluster::Zero => 1,
                Cluster::Data(bytes) => {
                    put(next, bytes);
                    next += cluster;
                    1 << 63 | (next - cluster)
                }
                Cluster::Compressed(bytes) => {
                    // Somewhere inside a cluster, to be sure that nothing expects alignment.
                    let (from, stream) = (next + 77, deflated(bytes));
                    let end = from + stream.len() as u64;
                    put(from, &stream);
                    next = end.next_multiple_of(cluster);
                    put(next - 1, &[0]);
                    let sectors = (end - 1) / 512 - from / 512;
                    1 << 62 | sectors << (62 - (self.cluster_bits - 8)) | from
                }
            };
            put(Self::L2 * cluster + index * 8, &u64::to_be_bytes(entry));
        }
        self.patches.iter().for_each(|(at, bytes)| put(*at, bytes));
        file
    }

    pub(in crate::disk) fn file(&self) -> Scratch {
        Scratch::new(&self.build())
    }
}

/// A raw deflate stream: one stored block when that fits, which every inflater must read.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut blocks = bytes.chunks(512).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap();
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream
}
