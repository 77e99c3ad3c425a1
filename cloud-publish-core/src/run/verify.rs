//! Live state against manifest: what is correct, incorrect, missing, unexpected or out of reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::{Environment, Observed, Prepared};
use crate::digest::Digest;
use crate::error::Result;
use crate::event::{Event, Reporter, Work};
use crate::names::{Arch, ImageId, PointerName, Region, Rendition, TargetName, Variant};
use crate::plan::{Desired, DesiredPlace, ImageRef};
use crate::publisher::{Context, ImageAt, Listing, Progress, Proof, ProveRequest, Replication};
use crate::survey::{FoundImage, Life};

/// What a comparison came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As the manifest wants it.
    Correct,
    /// There, but not as the manifest wants it.
    Incorrect,
    /// Not there.
    Missing,
    /// There, of this release, and not wanted.
    Unexpected,
    /// Could not be seen.
    Unreachable,
}

/// One image in one region, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The target.
    pub target: TargetName,
    /// Where; absent when a whole target is out of reach.
    pub region: Option<Region>,
    /// The artifact's variant.
    pub variant: Option<Variant>,
    /// The artifact's architecture.
    pub arch: Option<Arch>,
    /// What was made of it.
    pub rendition: Option<Rendition>,
    /// The cloud's id.
    pub id: Option<ImageId>,
    /// The result.
    pub verdict: Verdict,
    /// Whether the release can do without it.
    pub required: bool,
    /// Every difference, one sentence each.
    pub differences: Vec<String>,
    /// What [`prove`] was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

impl Checked {
    /// Which image it is, as plans name it; none when a whole target is out of reach.
    pub fn image(&self) -> Option<ImageRef> {
        let (variant, arch) = (self.variant.clone()?, self.arch.clone()?);
        Some(ImageRef { variant, arch, rendition: self.rendition.clone()? })
    }
}

/// Where content is read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofScope {
    /// Wherever bytes of ours arrived: what the cloud copied to other regions by itself is left out.
    Home,
    /// In every region, which costs time and, at some clouds, money.
    All,
}

/// Compares what was seen with what should be.
pub fn verify(prepared: &Prepared) -> Vec<Checked> {
    let unreachable = prepared.unreachable.iter().map(|(target, trouble)| Checked {
        target: target.clone(),
        region: None,
        variant: None,
        arch: None,
        rendition: None,
        id: None,
        verdict: Verdict::Unreachable,
        required: true,
        differences: trouble.error.clone(),
        proof: None,
    });
    unreachable.chain(prepared.observed.iter().flat_map(check_target)).collect()
}

fn check_target(observed: &Observed) -> Vec<Checked> {
    let wanted = observed
        .desired
        .iter()
        .flat_map(|desired| desired.places.iter().map(move |place| check_place(observed, desired, place)));
    let mut all: Vec<Checked> = wanted.collect();
    let known: Vec<(Option<Region>, Option<ImageId>)> =
        all.iter().map(|checked| (checked.region.clone(), checked.id.clone())).collect();
    let release = observed.desired.first().map(|desired| desired.spec.tags.release.clone());
    for found in &observed.survey.images {
        let Some(tags) = found.tags.as_ref().filter(|tags| Some(&tags.release) == release.as_ref()) else { continue };
        if known.contains(&(Some(found.region.clone()), Some(found.id.clone()))) {
            continue;
        }
        all.push(Checked {
            target: observed.info.target.clone(),
            region: Some(found.region.clone()),
            variant: Some(tags.variant.clone()),
            arch: Some(tags.arch.clone()),
            rendition: Some(tags.rendition.clone()),
            id: Some(found.id.clone()),
            verdict: Verdict::Unexpected,
            required: true,
            differences: vec![format!("{} `{}` is of this release, but not wanted here", found.life(), found.name)],
            proof: None,
        });
    }
    all
}

fn check_place(observed: &Observed, desired: &Desired, place: &DesiredPlace) -> Checked {
    let tags = &desired.spec.tags;
    let matching = observed.survey.matching(&observed.info.place, &place.region, tags);
    let (verdict, differences) = match matching.as_slice() {
        _ if !observed.survey.covers(&place.region) => {
            (Verdict::Unreachable, vec!["the region could not be read to its end".to_owned()])
        }
        [] => (Verdict::Missing, Vec::new()),
        [found] => {
            let differences = differences(observed, desired, place, found);
            (if differences.is_empty() { Verdict::Correct } else { Verdict::Incorrect }, differences)
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|found| found.id.as_str()).collect();
            (Verdict::Incorrect, vec![format!("two objects carry its key: {}", ids.join(", "))])
        }
    };
    Checked {
        target: observed.info.target.clone(),
        region: Some(place.region.clone()),
        variant: Some(desired.image.variant.clone()),
        arch: Some(desired.image.arch.clone()),
        rendition: Some(desired.image.rendition.clone()),
        id: matching.first().map(|found| found.id.clone()),
        verdict,
        required: place.required,
        differences,
        proof: None,
    }
}

fn differences(observed: &Observed, desired: &Desired, place: &DesiredPlace, found: &FoundImage) -> Vec<String> {
    let mut all = Vec::new();
    let mut differs = |what: &str, is: &str, wanted: &str| {
        if is != wanted {
            all.push(format!("{what} is {is}, should be {wanted}"));
        }
    };
    let spec = &desired.spec;
    differs("name", &found.name, spec.name.as_str());
    let digest = found.tags.as_ref().map(|tags| tags.digest.to_string()).unwrap_or_default();
    differs("digest", &digest, &spec.tags.digest.to_string());
    differs("state", found.life().as_str(), Life::Published.as_str());
    differs("visibility", &found.visibility.to_string(), &spec.visibility.to_string());
    compare("tag", &spec.extra_tags, &found.extra_tags, &mut differs);
    compare("attribute", &place.expected.attributes, &found.attributes, &mut differs);
    all.extend(found.problems.iter().cloned());
    all.extend(lost_pointers(observed, desired, place, found));
    all.extend(missing_listings(observed, place, found));
    all
}

/// Listings that should offer it and do not.
fn missing_listings(observed: &Observed, place: &DesiredPlace, found: &FoundImage) -> Vec<String> {
    let says = |listing: &String| {
        let there = observed.survey.listings.iter().find(|one| one.listing == *listing && one.image == found.id);
        match there.map(|one| one.state) {
            Some(Listing::Listed) => None,
            Some(Listing::Pending) => Some(format!("listing {listing} is still under review")),
            None => Some(format!("listing {listing} does not offer it")),
        }
    };
    let wanted = place.expected.listings.iter().filter(|_| observed.info.capability.marketplace);
    wanted.filter_map(says).collect()
}

fn compare(
    what: &str,
    wanted: &BTreeMap<String, String>,
    is: &BTreeMap<String, String>,
    differs: &mut impl FnMut(&str, &str, &str),
) {
    for (name, value) in wanted {
        differs(&format!("{what} {name}"), is.get(name).map_or("absent", String::as_str), value);
    }
}

/// Pointers that dangle, or lead to nothing, while they should lead here or to something newer.
fn lost_pointers(observed: &Observed, desired: &Desired, place: &DesiredPlace, found: &FoundImage) -> Vec<String> {
    if !observed.info.capability.pointers || found.life() != Life::Published {
        return Vec::new();
    }
    let date_of = |id: &ImageId| {
        let image = observed.survey.images.iter().find(|image| image.region == place.region && image.id == *id)?;
        image.tags.as_ref().map(|tags| tags.date)
    };
    let target_of = |name: &PointerName| {
        let there = observed.survey.pointers.iter().find(|one| one.region == place.region && one.name == *name);
        there.and_then(|pointer| pointer.to.as_ref())
    };
    let own = place.expected.own_pointers.iter().filter_map(|name| match target_of(name) {
        Some(to) if *to == found.id => None,
        Some(to) => Some(format!("pointer {name} leads to {to}")),
        None => Some(format!("pointer {name} leads nowhere")),
    });
    let lost = place.expected.pointers.iter().filter_map(|name| match target_of(name) {
        None => Some(format!("pointer {name} leads nowhere")),
        Some(to) if date_of(to).is_none_or(|date| date < desired.spec.tags.date) => {
            Some(format!("pointer {name} leads to {to}, which is older"))
        }
        Some(_) => None,
    });
    lost.chain(own).collect()
}

/// Asks the clouds what they hold of every image that is there, and compares it.
///
/// # Errors
/// [`crate::error::Kind::Cancelled`]. What one image's cloud answers is in its row.
pub async fn prove(
    environment: &Environment,
    prepared: &Prepared,
    (scope, checks): (ProofScope, &mut [Checked]),
) -> Result<()> {
    let context = environment.context();
    for check in checks.iter_mut() {
        context.check()?;
        let Some(observed) = prepared.observed.iter().find(|one| one.info.target == check.target) else { continue };
        let is_copy = observed.info.capability.replication != Replication::Independent
            && check.region.as_ref() != Some(&observed.info.home);
        if scope == ProofScope::Home && is_copy {
            continue;
        }
        let found = observed
            .survey
            .images
            .iter()
            .find(|image| Some(&image.region) == check.region.as_ref() && Some(&image.id) == check.id.as_ref());
        let Some((found, tags)) = found.and_then(|found| Some((found, found.tags.clone()?))) else { continue };
        let digest = tags.digest;
        let desired = observed.desired.iter().find(|desired| {
            desired.spec.tags.variant == tags.variant
                && desired.spec.tags.arch == tags.arch
                && desired.spec.tags.rendition == tags.rendition
        });
        let request = ProveRequest {
            at: ImageAt { region: found.region.clone(), id: found.id.clone(), tags },
            file_sha512: desired.and_then(|desired| desired.spec.file_sha512.clone()),
        };
        let work = Work {
            verb: "prove".to_owned(),
            target: check.target.clone(),
            image: desired.map(|desired| desired.image.to_string()),
            region: check.region.clone(),
        };
        let watch = Arc::new(Watcher { work, reporter: environment.reporter.clone() });
        one(&context.with_progress(watch.clone()), observed, (&request, digest), check).await;
        watch.advanced(1, 1);
    }
    Ok(())
}

/// Tells how far reading back is.
#[derive(Debug)]
struct Watcher {
    work: Work,
    reporter: Arc<dyn Reporter>,
}

impl Progress for Watcher {
    fn advanced(&self, done: u64, total: u64) {
        self.reporter.report(&Event::Proving { work: self.work.clone(), done, total });
    }

    fn says(&self, _message: &str) {}
}

async fn one(context: &Context, observed: &Observed, asked: (&ProveRequest, Digest), check: &mut Checked) {
    let (request, digest) = asked;
    let difference = match observed.target.publisher.prove(context, request).await {
        Ok(proof) => {
            let difference = contradiction(&proof, digest);
            check.proof = Some(proof);
            difference
        }
        Err(error) => Some(format!("could not be proven: {}", error.chain().join(": "))),
    };
    if let Some(difference) = difference {
        check.differences.push(difference);
        check.verdict = check.verdict.max(Verdict::Incorrect);
    }
}

/// What a proof says against the digest.
fn contradiction(proof: &Proof, wanted: Digest) -> Option<String> {
    match proof {
        Proof::Content { digest } if *digest != wanted => Some(format!("content is {digest}, should be {wanted}")),
        Proof::Hash { algorithm, shown, expected: Some(expected) } if shown != expected => {
            Some(format!("{algorithm} is {shown}, should be {expected}"))
        }
        Proof::Content { .. } | Proof::Hash { .. } | Proof::Unreadable { .. } => None,
    }
}
