//! How long to wait for what: <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>.

use std::time::Duration;

use cloud_publish_core::poll::Pace;

/// Until what was just written reads back.
pub(crate) const SEEN: Pace =
    Pace { first: Duration::from_millis(300), longest: Duration::from_secs(15), deadline: Duration::from_secs(120) };

/// Until an image is there.
pub(crate) const IMAGE: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_secs(15), deadline: Duration::from_secs(1800) };
