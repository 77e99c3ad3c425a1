//! Ends the process when one input takes for ever.
//!
//! What counts is processor time, which a busy machine does not change, and as a last resort minutes on the clock: a
//! reader that waits uses no processor.

use std::fs;
use std::io::Write as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What one input may take of all processors.
const PROCESSOR: Duration = Duration::from_secs(60);
const CLOCK: Duration = Duration::from_secs(600);
/// USER_HZ: what Linux counts processor time in, for every program.
const TICKS: u64 = 100;

/// Watches until it is dropped.
pub(crate) struct Watchdog {
    _alive: Sender<()>,
    begun: Sender<String>,
}

impl Watchdog {
    pub(crate) fn start() -> Self {
        let (alive, ended) = channel();
        let (begun, inputs) = channel::<String>();
        thread::spawn(move || {
            let mut now = (String::new(), processor(), Instant::now());
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(Duration::from_secs(1)) {
                if let Some(input) = inputs.try_iter().last() {
                    now = (input, processor(), Instant::now());
                } else if processor().saturating_sub(now.1) > PROCESSOR || now.2.elapsed() > CLOCK {
                    let _ = writeln!(std::io::stderr(), "this input takes for ever: {}", now.0);
                    std::process::abort();
                }
            }
        });
        Self { _alive: alive, begun }
    }

    /// Another input begins.
    pub(crate) fn next(&self, input: String) {
        self.begun.send(input).expect("the watchdog lives");
    }
}

/// The processor time of this process, from `/proc/self/stat`: fields 14 and 15, counted behind the name in brackets.
fn processor() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc/self/stat");
    let (_, behind) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks: u64 = behind.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 1000 / TICKS)
}
