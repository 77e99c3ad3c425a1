//! placeholder
mod journal;

pub use self::journal::{Fact, Journal, Made, Receipt};
