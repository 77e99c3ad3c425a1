//! Deprecation dates. Public images have one whether their owner wants it or not.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html>

use jiff::{SignedDuration, Span, Timestamp, TimestampRound, Unit, tz::TimeZone};

use crate::aws::reply::Outcome;

use super::image::Image;
use super::permissions::Grant;
use super::request::{Request, image_unavailable, invalid, not_permitted};
use super::state::State;

/// The furthest date of a public image, after its creation.
const PUBLIC_YEARS: i64 = 2;
/// How long a public image may be deprecated and idle.
const IDLE_DAYS: i64 = 183;
/// The furthest date of any other image, from now.
const YEARS: i64 = 10;

/// Sets the date, rounded to the minute. That of a public image can be brought forward, not put off.
pub(super) fn enable(state: &mut State, request: &Request<'_>) -> Outcome {
    let text = request.required("DeprecateAt")?;
    let date: Timestamp =
        text.parse().map_err(|_| invalid(format!("Value ({text}) for parameter deprecateAt is invalid.")))?;
    let date = date.round(TimestampRound::new().smallest(Unit::Minute)).unwrap_or(date);
    let now = request.now();
    let image = state.own_image(request, request.required("ImageId")?)?;
    if !matches!(image.state(now), "available" | "disabled") {
        return Err(image_unavailable(&image.id));
    }
    if date <= now {
        return Err(invalid("The deprecation date must be in the future"));
    }
    if date > in_years(now, YEARS) {
        return Err(invalid("The deprecation date is more than 10 years from now"));
    }
    if image.is_public() {
        if date > in_years(image.created, PUBLIC_YEARS) + SignedDuration::from_mins(1) {
            return Err(invalid("The deprecation date of a public image is at most 2 years after its creation"));
        }
        if image.deprecate_at.is_some_and(|before| date > before) {
            return Err(not_permitted("The deprecation date of a public image cannot be moved to a later date"));
        }
    }
    image.deprecate_at = Some(date);
    request.done()
}

/// Takes the date away, unless the image is public.
pub(super) fn disable(state: &mut State, request: &Request<'_>) -> Outcome {
    let image = state.own_image(request, request.required("ImageId")?)?;
    if image.is_public() {
        return Err(not_permitted("The deprecation of a public image cannot be cancelled"));
    }
    image.deprecate_at = None;
    request.done()
}

/// What becoming public does to the date: it is at most two years after the creation.
pub(super) fn force(image: &mut Image) {
    let latest = in_years(image.created, PUBLIC_YEARS);
    image.deprecate_at = Some(image.deprecate_at.map_or(latest, |date| date.min(latest)));
}

/// Takes the public sharing of images away that were deprecated, and that nobody launched, for half a year.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html>
pub(super) fn expire(state: &mut State, request: &Request<'_>) {
    let long_ago = request.now() - SignedDuration::from_hours(24 * IDLE_DAYS);
    let here = state.images.values_mut().filter(|image| image.region == request.region() && image.is_public());
    for image in here {
        let is_idle = image.last_launched.is_none_or(|launched| launched < long_ago);
        if is_idle && image.is_deprecated(long_ago) {
            image.launch.remove(&Grant::All);
            request.expose("image", &image.id, &image.launch);
        }
    }
}

fn in_years(from: Timestamp, years: i64) -> Timestamp {
    let later = from.to_zoned(TimeZone::UTC).checked_add(Span::new().years(years));
    later.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}
