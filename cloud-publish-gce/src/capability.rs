//! What Google Compute Engine can do, for the planner.

use std::collections::BTreeSet;

use cloud_publish_core::publisher::{Capability, ReadBack, Replication, VisibilityKind};

/// Describes Compute Engine's images.
///
/// # Why
/// - Bytes are an object of the bucket until an image is made of it.
/// - An image is global; `storage_locations` decides only where its bytes lie:
///   <https://cloud.google.com/compute/docs/images/create-custom>.
/// - It is private, shared by IAM with accounts and groups, or readable by all who are signed in; there is no
///   `community`: <https://cloud.google.com/compute/docs/images/managing-access-custom-images>.
/// - A family leads to its newest image that is not deprecated:
///   <https://cloud.google.com/compute/docs/images/image-families-best-practices>.
/// - No API shows an image's content, and none lists it in the marketplace.
pub fn capability() -> Capability {
    Capability {
        replication: Replication::None,
        stages_apart: true,
        replicas_are_visible: false,
        visibilities: BTreeSet::from([VisibilityKind::Private, VisibilityKind::Shared, VisibilityKind::Public]),
        together: None,
        pointers: true,
        marketplace: false,
        read_back: ReadBack::Nothing,
        file_sha512: false,
        keeps_renditions: false,
    }
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::manifest::{ProviderConfig as _, Visibility};
    use cloud_publish_core::publisher::{Replication, VisibilityKind};

    use super::capability;
    use crate::GceConfig;

    #[test]
    fn community_does_not_exist_here_and_the_default_does() {
        let kinds = capability().visibilities;
        assert!(!kinds.contains(&VisibilityKind::from(&Visibility::Community)));
        assert!(kinds.contains(&VisibilityKind::from(&GceConfig::VISIBILITY)));
    }

    #[test]
    fn a_provider_without_regions_replicates_nothing() {
        assert_eq!(capability().replication == Replication::None, !GceConfig::REGIONS);
    }
}
