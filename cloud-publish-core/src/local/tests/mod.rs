//! Tests of the whole target: its life, what is seen of it at every step, and what a kill leaves.

#[cfg(feature = "conformance")]
mod conformance;
mod crash;
mod formats;
mod guards;
mod life;
mod rig;
pub(super) mod steps;
