//! The date from which AWS leaves an image out of the listings of others.
//!
//! A public image always has one, at most two years after its making, and it can only be brought forward:
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html>.

use aws_sdk_ec2::types::Image;
use aws_smithy_types::DateTime;
use cloud_publish_core::error::Result;
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::poll::poll_until;
use cloud_publish_core::publisher::Context;
use jiff::{SignedDuration, Timestamp};

use crate::config::AwsConfig;
use crate::deprecation::{is_settable, of, policy};
use crate::error::classify;
use crate::guard::{by_id, gone};
use crate::pace::SEEN;
use crate::publisher::Here;

/// AWS takes no date of the past, and rounds to the minute.
const SOON: SignedDuration = SignedDuration::from_mins(2);

/// A date as near as this was set in order to hide: [`SOON`] and the rounding.
const AS_GOOD_AS_PAST: SignedDuration = SignedDuration::from_mins(3);

/// The nearest date that AWS accepts.
pub(super) fn at_once(now: Timestamp) -> Timestamp {
    now.saturating_add(SOON).unwrap_or(Timestamp::MAX)
}

/// Whether an image is left out of listings, or will be within minutes.
pub(crate) fn is_hidden(image: &Image, now: Timestamp) -> bool {
    of(image).is_some_and(|date| date.duration_since(now) <= AS_GOOD_AS_PAST)
}

/// The date that the configuration gives an image, unless it has passed: then it has none.
pub(super) fn by_policy(config: &AwsConfig, tags: &ImageTags, now: Timestamp) -> Option<Timestamp> {
    policy(config, tags).filter(|date| is_settable(*date, now))
}

/// Sets or cancels the date, and returns once that reads back.
pub(super) async fn set(here: &Here, context: &Context, (id, date): (&str, Option<Timestamp>)) -> Result<()> {
    let ec2 = &here.clients.ec2;
    match date {
        Some(date) => {
            let call = ec2.enable_image_deprecation().image_id(id).deprecate_at(DateTime::from_secs(date.as_second()));
            let answer = context.or_cancelled(call.send()).await?;
            answer.map_err(|error| classify(&error, "EnableImageDeprecation"))?;
        }
        None => {
            let answer = context.or_cancelled(ec2.disable_image_deprecation().image_id(id).send()).await?;
            answer.map_err(|error| classify(&error, "DisableImageDeprecation"))?;
        }
    }
    let near = |shown: Timestamp, date: Timestamp| shown.duration_since(date).abs() <= SignedDuration::from_mins(1);
    poll_until(context, "a change of the deprecation date", SEEN, || async {
        let image = by_id(here, context, id).await?.ok_or_else(gone)?;
        let is_set = match (of(&image), date) {
            (Some(shown), Some(date)) => near(shown, date),
            (shown, None) => shown.is_none(),
            (None, Some(_)) => false,
        };
        Ok(is_set.then_some(()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::Image;
    use cloud_publish_core::names::Class;
    use jiff::{SignedDuration, Timestamp};

    use super::{at_once, by_policy, is_hidden};
    use crate::testing::{config, tags};

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_date_that_hides_counts_at_once_and_a_later_one_does_not() {
        let now = moment("2024-06-01T12:00:29Z");
        let at = |date: Timestamp| is_hidden(&Image::builder().deprecation_time(date.to_string()).build(), now);
        assert!(at(at_once(now)));
        assert!(at(now - SignedDuration::from_hours(1)));
        assert!(!at(now + SignedDuration::from_mins(10)));
        assert!(!is_hidden(&Image::builder().build(), now));
    }

    #[test]
    fn a_policy_whose_date_has_passed_would_hide_it_again_and_gives_none() {
        let (mut config, tags) = (config(), tags("bookworm-20240101"));
        let at = |config: &_, now: &str| by_policy(config, &tags, moment(now));
        assert_eq!(at(&config, "2024-01-03T00:00:00Z"), None);
        config.deprecate_after_days.insert(Class::Release, 30);
        assert_eq!(at(&config, "2024-01-03T00:00:00Z"), Some(moment("2024-01-31T00:00:00Z")));
        assert_eq!(at(&config, "2024-03-01T00:00:00Z"), None);
    }
}
