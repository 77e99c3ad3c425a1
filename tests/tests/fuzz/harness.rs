//! The loop: changes good inputs, hands them to a reader, and holds it to its promises.

use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::BuildHasher as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use cloud_publish_core::error::{Error, Kind};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::dice::Dice;
use crate::input::{Grammar, Input, made};
use crate::memory::peak_of;
use crate::opened::Opened;
use crate::watchdog::Watchdog;

/// A file beside every input that no reader may open.
pub(crate) const CANARY: &str = "canary";
/// What is in it.
pub(crate) const SECRET: &[u8] = b"the content of another file of this machine";
/// A FIFO beside every input: who opens it to read waits for ever.
pub(crate) const FIFO: &str = "canary.fifo";

/// A reader and what it reads.
pub(crate) struct Target<'a> {
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// The name of the input's file, and those of others that it may open.
    pub(crate) files: &'a [&'a str],
    /// Good inputs.
    pub(crate) seeds: Vec<Input>,
    /// What inputs are like.
    pub(crate) grammar: Grammar,
    /// The most that reading one may take, in bytes.
    pub(crate) memory: usize,
    /// Reads the file. An error is a promise that was broken; an input that was refused is none.
    pub(crate) read: &'a dyn Fn(&Path) -> Result<Verdict, String>,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing was found to be wrong with it.
    Taken,
    /// It was refused as it should be.
    Refused,
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Keeps other targets from taking memory meanwhile, which would be counted as this one's.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A refusal is what an input is worth; a program that broke down is not.
pub(crate) fn judge(error: &Error) -> Result<Verdict, String> {
    let text = error.chain().join(": ");
    if error.kind() == Kind::Unexpected {
        return Err(format!("it broke down: {text}"));
    }
    if text.as_bytes().windows(SECRET.len()).any(|part| part == SECRET) {
        return Err(format!("it repeats another file: {text}"));
    }
    Ok(Verdict::Refused)
}

/// Of something that was read, or refused.
pub(crate) fn judged<T>(outcome: Result<T, Error>) -> Result<Verdict, String> {
    outcome.map_or_else(|error| judge(&error), |_| Ok(Verdict::Taken))
}

/// A folder for inputs, with the files that nobody may open.
pub(crate) fn folder_with_canaries() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let content = [SECRET, &[0; 512], SECRET].concat();
    fs::write(folder.path().join(CANARY), content.repeat(64)).expect("a canary");
    mknodat(CWD, folder.path().join(FIFO), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    folder
}

impl Target<'_> {
    /// Runs for its time; panics with the way to repeat it when a promise is broken.
    pub(crate) fn run(&self, folder: &Path) {
        let _alone = alone();
        count_panics();
        let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
        let full = if cloud_publish_tests::is_full_run() { 120 } else { 5 };
        let time = Duration::from_secs(number("CLOUD_PUBLISH_FUZZ_SECONDS").unwrap_or(full));
        let seed = number("CLOUD_PUBLISH_FUZZ_SEED").unwrap_or_else(|| RandomState::new().hash_one(self.name));
        let (begun, opened, watchdog) = (Instant::now(), Opened::watch(folder), Watchdog::start());
        let only = number("CLOUD_PUBLISH_FUZZ_CASE");
        let (mut case, mut taken, mut most) = (only.unwrap_or(0), 0, 0);
        loop {
            let input = match case {
                // Once as they are: a seed that is refused at once exercises nothing.
                _ if (case as usize) < self.seeds.len() => self.seeds[case as usize].clone(),
                _ => made(&mut Dice::new(seed, case), &self.seeds, &self.grammar),
            };
            let place = folder.join(self.files[0]);
            write(&place, &input);
            drop(opened.names());
            watchdog.next(format!("{} with CLOUD_PUBLISH_FUZZ_SEED={seed} CLOUD_PUBLISH_FUZZ_CASE={case}", self.name));
            match self.once(&place, &opened) {
                Ok((verdict, peak)) => {
                    taken += u64::from(verdict == Verdict::Taken);
                    most = most.max(peak);
                }
                Err(what) => self.complain(&what, &place, (seed, case)),
            }
            if only.is_some() || begun.elapsed() >= time {
                break;
            }
            case += 1;
        }
        let (name, inputs, most) = (self.name, case + 1, most >> 10);
        println!("{name}: {inputs} inputs with seed {seed}, {taken} of them taken, {most} KiB at most");
    }

    fn once(&self, file: &Path, opened: &Opened) -> Result<(Verdict, usize), String> {
        let panics = PANICS.load(Ordering::Relaxed);
        let (read, peak) = peak_of(|| catch_unwind(AssertUnwindSafe(|| (self.read)(file))));
        let verdict = read.map_err(|_| "it panicked".to_owned())??;
        if PANICS.load(Ordering::Relaxed) != panics {
            return Err("a thread of it panicked".to_owned());
        }
        if peak > self.memory {
            return Err(format!("it took {} MiB", peak >> 20));
        }
        match opened.names().into_iter().find(|name| !self.files.contains(&name.as_str())) {
            Some(other) => Err(format!("it opened {other}")),
            None => Ok((verdict, peak)),
        }
    }

    fn complain(&self, what: &str, file: &Path, (seed, case): (u64, u64)) -> ! {
        let (name, folder) = (self.name, Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz-found"));
        let kept = folder.join(format!("{name}-{seed}-{case}"));
        fs::create_dir_all(&folder).and_then(|()| fs::copy(file, &kept)).expect("a copy of the input");
        panic!(
            "{name}: {what}\nagain: CLOUD_PUBLISH_FUZZ_SEED={seed} CLOUD_PUBLISH_FUZZ_CASE={case}; the input is {}; once \
             mended, it belongs in the corpus",
            kept.display()
        );
    }
}

fn write(place: &Path, input: &Input) {
    // Truncated and not made anew: the watch is on the folder, and no reader keeps it open.
    let mut file = File::create(place).expect("a file for the input");
    file.write_all(&input.bytes).and_then(|()| file.set_len(input.length)).expect("a written input");
}

/// Counts panics of all threads: a thread that dies quietly would else pass for a refusal.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            usual(info);
        }));
    });
}
