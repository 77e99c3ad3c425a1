//! placeholder
mod step;
pub use self::step::StepId;
