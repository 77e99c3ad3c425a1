//! One image in one region: what the survey's findings mean for it.

use super::{Desired, DesiredPlace, ImageRef, Refusal, RefusalKind, TargetState};
use crate::identity::KeyTag;
use crate::names::Region;
use crate::survey::{FoundImage, Life, Native};

/// What is there of one wanted image in one region.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// Nothing, or staged bytes that the upload takes up.
    Nothing {
        /// In words, for the step's reason.
        why: String,
    },
    /// A private image of ours, not yet published.
    Unpublished(&'a FoundImage),
    /// Published.
    Published(&'a FoundImage),
    /// There, and to be left as it is.
    Leave {
        /// What it is.
        message: String,
        /// What a person can do.
        hint: String,
    },
    /// Nothing may be done.
    Refuse(RefusalKind, String, String),
}

/// Looks up one image in one region.
pub(super) fn look<'a>(state: &TargetState<'a>, desired: &Desired, place: &DesiredPlace, republish: bool) -> Found<'a> {
    let tags = &desired.spec.tags;
    let key = tags.key(&state.info.place, &place.region);
    let survey = state.survey;
    if !survey.covers(&place.region) {
        return unreadable(state, &place.region);
    }
    match survey.matching(&state.info.place, &place.region, tags).as_slice() {
        [] => absent(state, desired, &place.region, (&key, republish)),
        [one] if one.tags.as_ref().is_some_and(|own| own.digest != tags.digest) => other_digest(one, desired),
        [one] => match alone(one) {
            Found::Unpublished(one) => made_as_wanted(one, place),
            other => other,
        },
        several => {
            let ids: Vec<&str> = several.iter().map(|image| image.id.as_str()).collect();
            Found::Refuse(
                RefusalKind::TwoObjects,
                format!("two objects carry the same key {key}: {}", ids.join(" and ")),
                "find out which one users have, and delete the other by hand".into(),
            )
        }
    }
}

fn unreadable<'a>(state: &TargetState<'_>, region: &Region) -> Found<'a> {
    let gap = state.survey.incomplete.iter().find(|gap| gap.region.as_ref().is_none_or(|other| other == region));
    let reason = gap.map_or("no reason given", |gap| gap.reason.as_str());
    Found::Refuse(
        RefusalKind::Unreadable,
        format!("the region could not be read: {reason}"),
        "mend it, or list the region under `best_effort`; nothing is created where we cannot look first".into(),
    )
}

fn absent<'a>(
    state: &TargetState<'a>,
    desired: &Desired,
    region: &Region,
    (key, republish): (&KeyTag, bool),
) -> Found<'a> {
    if state.tombstones.contains(key) && !republish {
        return Found::Refuse(
            RefusalKind::Tombstone,
            "it was deleted on purpose".into(),
            "to publish it again all the same, add --republish".into(),
        );
    }
    if let Some(other) = other_rendition(state, &desired.image, desired, region) {
        return Found::Leave {
            message: format!("there is another rendition of it, {} ({})", other.id, other.name),
            hint: "conversion settings changed after it was published: build a new version to use the new ones".into(),
        };
    }
    let staged = state.survey.staged.iter().find(|staged| {
        staged.region == *region && staged.tags.as_ref().is_some_and(|own| own.key(&state.info.place, region) == *key)
    });
    let why = match staged {
        Some(staged) => format!("an earlier upload left {}", staged.id),
        None => "not there".to_owned(),
    };
    Found::Nothing { why }
}

fn other_rendition<'a>(
    state: &TargetState<'a>,
    image: &ImageRef,
    desired: &Desired,
    region: &Region,
) -> Option<&'a FoundImage> {
    if state.info.capability.keeps_renditions {
        return None;
    }
    state.survey.images.iter().filter(|found| found.region == *region).find(|found| {
        found.tags.as_ref().is_some_and(|own| {
            own.release == desired.spec.tags.release
                && own.variant == image.variant
                && own.arch == image.arch
                && own.rendition != image.rendition
        })
    })
}

fn other_digest<'a>(one: &FoundImage, desired: &Desired) -> Found<'a> {
    let there = one.tags.as_ref().map(|own| own.digest.to_string()).unwrap_or_default();
    Found::Refuse(
        RefusalKind::OtherDigest,
        format!("{} has the same key but another content: {there}, wanted {}", one.id, desired.spec.tags.digest),
        "a published version never changes its content: build a new version".into(),
    )
}

fn alone(one: &FoundImage) -> Found<'_> {
    if !one.problems.is_empty() {
        return Found::Refuse(
            RefusalKind::Untrusted,
            format!("{} cannot be judged: {}", one.id, one.problems.join("; ")),
            "mend it by hand, then run the same command again; nothing of ours is guessed".into(),
        );
    }
    if let Some(at) = one.marks.withdrawn {
        return Found::Refuse(
            RefusalKind::Withdrawn,
            format!("{} was withdrawn on {at}", one.id),
            "a withdrawn image stays so until it is restored: publish a new version".into(),
        );
    }
    match (one.native, one.life()) {
        (Native::Pending | Native::Failed, _) => Found::Nothing { why: format!("{} is not finished", one.id) },
        (_, Life::Registered) => Found::Unpublished(one),
        (_, Life::Published) => Found::Published(one),
        (_, life) => Found::Leave {
            message: format!("{} is {life}", one.id),
            hint: "a policy or a person did that, and it stays so: undo it with the cloud's own tools, or publish a new version"
                .into(),
        },
    }
}

/// An image that nobody was led to yet is not published if it was made otherwise than it should be.
fn made_as_wanted<'a>(one: &'a FoundImage, place: &DesiredPlace) -> Found<'a> {
    let mut wrong = place.expected.fixed.iter().filter_map(|name| {
        let wanted = place.expected.attributes.get(name)?;
        let is = one.attributes.get(name).filter(|is| *is != wanted)?;
        Some(format!("{name} is {is}, should be {wanted}"))
    });
    let Some(first) = wrong.next() else { return Found::Unpublished(one) };
    let all: Vec<String> = std::iter::once(first).chain(wrong).collect();
    Found::Refuse(
        RefusalKind::OtherAttributes,
        format!("{}, not published yet, was made otherwise: {}", one.id, all.join("; ")),
        "remove it by hand, then run the same command again; or set the configuration back".into(),
    )
}

/// A refusal with its place.
pub(super) fn refusal(state: &TargetState<'_>, image: &ImageRef, region: &Region, why: Found<'_>) -> Option<Refusal> {
    let Found::Refuse(kind, message, hint) = why else { return None };
    Some(Refusal {
        kind,
        target: state.info.target.clone(),
        // A region that cannot be read is one matter, however many images it was to have.
        image: (kind != RefusalKind::Unreadable).then(|| image.clone()),
        region: Some(region.clone()),
        message,
        hint,
    })
}
