//! placeholder
use serde::{Deserialize, Serialize};

/// The stable name of a step: the same in every plan of the same release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId(pub(crate) String);
