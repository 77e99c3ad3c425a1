//! What is asked for one image at a time: who may use it and its snapshot, and whether it has UEFI variables.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{BootModeValues, Image, ImageAttributeName, ImageState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::Context;
use cloud_publish_core::survey::FoundImage;
use futures::future::try_join3;

use crate::attributes::THERE;
use crate::available::id_of;
use crate::config::AwsConfig;
use crate::error::classify;
use crate::publisher::Here;
use crate::sharing::{Grant, Object, Sharing};
use crate::snapshot;

/// An image whose details are wanted.
#[derive(Debug)]
pub(super) struct Detailed<'a> {
    pub(super) here: &'a Here,
    pub(super) context: &'a Context,
    pub(super) config: &'a AwsConfig,
    pub(super) image: &'a Image,
}

impl Detailed<'_> {
    /// Adds the details; `None` when the image has gone since it was listed. What cannot be asked leaves it as it was.
    pub(super) async fn add_to(&self, mut found: FoundImage) -> (Option<FoundImage>, Option<Error>) {
        match try_join3(self.visibility(), self.of_snapshot(), self.uefi_data()).await {
            Ok((visibility, of_snapshot, uefi_data)) => {
                found.visibility = visibility.unwrap_or(found.visibility);
                let words = [("snapshot_visibility", of_snapshot.map(|it| it.to_string())), ("uefi_data", uefi_data)];
                found.attributes.extend(words.into_iter().filter_map(|(name, word)| Some((name.to_owned(), word?))));
                (Some(found), None)
            }
            Err(error) if error.kind() == Kind::NotFound => (None, None),
            Err(error) => {
                let error = error.with("id", &found.id);
                (Some(found), Some(error))
            }
        }
    }

    fn is_available(&self) -> bool {
        self.image.state() == Some(&ImageState::Available)
    }

    /// A public image shows as such in the listing; a disabled one is shared with nobody, and one that is being made
    /// neither.
    async fn visibility(&self) -> Result<Option<Visibility>> {
        if self.image.public() == Some(true) || !self.is_available() {
            return Ok(None);
        }
        self.read(Object::Image(id_of(self.image)?)).await.map(Some)
    }

    /// A disabled image's snapshot can still be shared: disabling takes the image's own permissions only.
    async fn of_snapshot(&self) -> Result<Option<Visibility>> {
        let is_disabled = self.image.state() == Some(&ImageState::Disabled);
        match snapshot::root(self.image) {
            Some(id) if self.is_available() || is_disabled => match self.read(Object::Snapshot(id)).await {
                // The image is there all the same.
                Err(error) if error.kind() == Kind::NotFound => Ok(None),
                other => other.map(Some),
            },
            _ => Ok(None),
        }
    }

    async fn read(&self, object: Object<'_>) -> Result<Visibility> {
        let sharing = Sharing { here: self.here, context: self.context, config: self.config, object };
        Ok(visibility(&sharing.read().await?))
    }

    /// Asked only where the target gives its images some.
    async fn uefi_data(&self) -> Result<Option<String>> {
        let is_uefi = matches!(self.image.boot_mode(), Some(BootModeValues::Uefi | BootModeValues::UefiPreferred));
        if self.config.image.uefi_data.is_none() || !is_uefi || !self.is_available() {
            return Ok(None);
        }
        let call = self.here.clients.ec2.describe_image_attribute().image_id(id_of(self.image)?);
        let answer = self.context.or_cancelled(call.attribute(ImageAttributeName::UefiData).send()).await?;
        let answer = answer.map_err(|error| classify(&error, "DescribeImageAttribute"))?;
        let is_there = answer.uefi_data().and_then(|data| data.value()).is_some_and(|data| !data.is_empty());
        Ok(is_there.then(|| THERE.to_owned()))
    }
}

/// Our word for a set of permissions. Everybody is more than anybody else.
fn visibility(grants: &BTreeSet<Grant>) -> Visibility {
    let mut parties = Vec::new();
    for grant in grants {
        match grant {
            Grant::Everybody => return Visibility::Public,
            Grant::Account(name) | Grant::Organisation(name) | Grant::Unit(name) => parties.push(name.clone()),
        }
    }
    parties.sort();
    if parties.is_empty() { Visibility::Private } else { Visibility::SharedWith(parties) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cloud_publish_core::manifest::Visibility;

    use super::visibility;
    use crate::sharing::Grant;

    #[test]
    fn permissions_are_a_visibility() {
        let two =
            [Grant::Account("222222222222".to_owned()), Grant::Unit("arn:aws:organizations::1:ou/o-1/ou-1".to_owned())];
        let parties = vec!["222222222222".to_owned(), "arn:aws:organizations::1:ou/o-1/ou-1".to_owned()];
        assert_eq!(visibility(&BTreeSet::new()), Visibility::Private);
        assert_eq!(visibility(&two.clone().into()), Visibility::SharedWith(parties));
        assert_eq!(visibility(&two.into_iter().chain([Grant::Everybody]).collect()), Visibility::Public);
    }
}
