//! Which files of a folder are opened, as the kernel tells (inotify).

use std::mem::MaybeUninit;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};

/// Sees every opening of a file in a folder.
pub(crate) struct Opened(OwnedFd);

impl Opened {
    pub(crate) fn watch(folder: &Path) -> Self {
        let queue = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).expect("inotify");
        add_watch(&queue, folder, WatchFlags::OPEN).expect("a watched folder");
        Self(queue)
    }

    /// The names of the files that were opened since the last question, once for each time.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut space = [MaybeUninit::uninit(); 16 << 10];
        let mut events = Reader::new(&self.0, &mut space);
        let mut names = Vec::new();
        while let Ok(event) = events.next() {
            names.extend(event.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
        names
    }
}

#[test]
fn opening_a_file_is_seen_and_looking_at_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "content").unwrap();
    let opened = Opened::watch(folder.path());
    assert!(file.is_file());
    assert!(opened.names().is_empty());
    std::fs::read(&file).unwrap();
    assert_eq!(opened.names(), ["file"]);
}
