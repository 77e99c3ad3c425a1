//! The date from which EC2 leads nobody to an image any more: what the configuration wants, and what is there.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html>: a date is never in the past; it is at most
//! ten years from now, for a public image two years from its making, and cannot be moved while the image is public. A
//! public image without a date gets one, two years after its making.

use std::time::Duration;

use aws_sdk_ec2::types::Image;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::ImageSpec;
use jiff::{SignedDuration, Timestamp};

use crate::config::AwsConfig;

/// The attribute that a survey shows and `verify` expects.
pub(crate) const DEPRECATION: &str = "deprecation";

/// Its value when all is well.
pub(crate) const AS_CONFIGURED: &str = "as configured";

/// The longest that AWS allows, in days.
const PUBLIC: u32 = 730;
const OTHERS: u32 = 3650;

const DAY: i64 = 24;

/// EC2 keeps whole minutes.
const ROUNDING: SignedDuration = SignedDuration::from_mins(1);

/// A date so close is not set: it might have passed before the call arrives. One that was so close when the image was
/// made was not set.
const MARGIN: Duration = Duration::from_secs(3600);

/// When images of this release are to be deprecated, to the minute as EC2 keeps it; `None`: the configuration does not
/// say.
pub(crate) fn policy(config: &AwsConfig, tags: &ImageTags) -> Option<Timestamp> {
    let days = config.deprecate_after_days.get(&tags.class)?;
    let date = tags.date.checked_add(SignedDuration::from_hours(i64::from(*days).saturating_mul(DAY))).ok()?;
    let second = date.as_second();
    Timestamp::from_second(second.saturating_sub(second.rem_euclid(60))).ok()
}

/// The same, if EC2 takes such a date.
///
/// # Errors
/// [`Kind::InvalidInput`].
pub(crate) fn checked(config: &AwsConfig, image: &ImageSpec) -> Result<Option<Timestamp>> {
    let class = image.tags.class;
    let most = if image.visibility == Visibility::Public { PUBLIC } else { OTHERS };
    match config.deprecate_after_days.get(&class) {
        Some(days) if *days > most => {
            Err(Error::new(Kind::InvalidInput, format!("AWS deprecates such an image within {most} days, not {days}"))
                .hint(format!("lower `deprecate_after_days.{class}`, or leave it out: then AWS has its own rule")))
        }
        _ => Ok(policy(config, &image.tags)),
    }
}

/// Whether a date may be set on an image that has none.
pub(crate) fn is_settable(date: Timestamp, now: Timestamp) -> bool {
    now.checked_add(MARGIN).is_ok_and(|soonest| date > soonest)
}

/// The date that an image has.
pub(crate) fn of(image: &Image) -> Option<Timestamp> {
    image.deprecation_time()?.parse().ok()
}

/// [`DEPRECATION`] of an image: [`AS_CONFIGURED`], or what it is instead of what it should be.
///
/// A release that is published after its date has no date of ours.
pub(crate) fn word(wanted: Timestamp, image: &Image) -> String {
    let made = image.creation_date().and_then(|date| date.parse::<Timestamp>().ok());
    match of(image) {
        Some(date) if date.duration_since(wanted).abs() <= ROUNDING => AS_CONFIGURED.to_owned(),
        _ if made.is_some_and(|made| !is_settable(wanted, made)) => AS_CONFIGURED.to_owned(),
        Some(date) => format!("{date} instead of {wanted}"),
        None => format!("none instead of {wanted}"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::Image;
    use cloud_publish_core::manifest::Visibility;
    use cloud_publish_core::names::Class;
    use jiff::Timestamp;

    use super::{checked, is_settable, policy, word};
    use crate::testing::{config, spec};

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn image(made: &str, date: Option<&str>) -> Image {
        Image::builder().creation_date(made).set_deprecation_time(date.map(str::to_owned)).build()
    }

    #[test]
    fn the_date_is_counted_from_the_release_and_has_no_seconds() {
        let mut config = config();
        let mut tags = spec().tags;
        tags.date = time("2024-01-01T10:20:59.5Z");
        assert_eq!(policy(&config, &tags), None);
        config.deprecate_after_days.insert(Class::Release, 31);
        assert_eq!(policy(&config, &tags), Some(time("2024-02-01T10:20:00Z")));
        config.deprecate_after_days.insert(Class::Release, u32::MAX);
        assert_eq!(policy(&config, &tags), None);
    }

    #[test]
    fn a_date_beyond_what_aws_allows_is_refused() {
        let mut config = config();
        let mut spec = spec();
        for (days, visibility, good) in [
            (730, Visibility::Public, true),
            (731, Visibility::Public, false),
            (731, Visibility::Private, true),
            (3651, Visibility::Private, false),
        ] {
            config.deprecate_after_days.insert(Class::Release, days);
            spec.visibility = visibility;
            assert_eq!(checked(&config, &spec).is_ok(), good, "{days}");
        }
    }

    #[test]
    fn a_date_that_has_passed_is_not_set() {
        let now = time("2024-01-01T00:00:00Z");
        assert!(is_settable(time("2024-01-02T00:00:00Z"), now));
        assert!(!is_settable(time("2024-01-01T00:30:00Z"), now));
        assert!(!is_settable(time("2023-01-01T00:00:00Z"), now));
    }

    #[test]
    fn only_a_date_that_could_have_been_set_is_missed() {
        let wanted = time("2024-03-01T00:00:00Z");
        for (made, date, expected) in [
            ("2024-01-01T00:00:00.000Z", Some("2024-03-01T00:00:00.000Z"), "as configured"),
            ("2024-01-01T00:00:00.000Z", None, "none instead of 2024-03-01T00:00:00Z"),
            (
                "2024-01-01T00:00:00.000Z",
                Some("2026-01-01T00:00:00.000Z"),
                "2026-01-01T00:00:00Z instead of 2024-03-01T00:00:00Z",
            ),
            ("2024-06-01T00:00:00.000Z", Some("2026-06-01T00:00:00.000Z"), "as configured"),
            ("2024-06-01T00:00:00.000Z", None, "as configured"),
        ] {
            assert_eq!(word(wanted, &image(made, date)), expected);
        }
    }
}
