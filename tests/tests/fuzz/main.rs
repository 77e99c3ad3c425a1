//! Everything that is read from outside, fed with what nobody should write.
//!
//! Two ways. *Targets* change good inputs at random for some seconds and hold every reader to the same promises: it
//! does not panic, it ends, it takes little memory whatever the input says, and it opens no file but its own. *Cases*
//! (`corpus/`) are known bad inputs, each of which the command must refuse by name without publishing anything.
//!
//! Every run has a seed of its own, printed when something is found:
//!
//! | variable | |
//! |---|---|
//! | `CLOUD_PUBLISH_FUZZ_SECONDS` | how long each target runs: 5, with `tests/run --full` 120 |
//! | `CLOUD_PUBLISH_FUZZ_SEED` | the seed of a run, to repeat it |
//! | `CLOUD_PUBLISH_FUZZ_CASE` | one input of that run alone |

mod corpus;
mod dice;
mod disks;
mod gpt;
mod harness;
mod import;
mod input;
mod memory;
mod opened;
mod packed;
mod qcow2;
mod rig;
mod state;
mod text;
mod tree;
mod vhd;
mod watchdog;

#[global_allocator]
static COUNTED: memory::Counted = memory::Counted;
