//! What Azure can do, for the planner.

use std::collections::BTreeSet;

use cloud_publish_core::publisher::{Capability, ReadBack, Replication, VisibilityKind};

/// Describes the versions of a Compute Gallery.
///
/// # Why
/// - Bytes are a disk or a blob until a version is made of it.
/// - One `PUT` names all regions of a version, those that it has included:
///   <https://learn.microsoft.com/rest/api/compute/gallery-image-versions>.
/// - Sharing is a property of the whole gallery, so what is replicated into a shared one is visible at once; gates run on
///   the version in the staging gallery: <https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery>.
/// - A gallery is private, shared with subscriptions or tenants, or a community gallery; `public` does not exist:
///   <https://learn.microsoft.com/azure/virtual-machines/share-gallery-community>.
/// - `latest` is the highest version that is not excluded from it.
/// - A staged page blob can be read, and so can a disk that is made from a version.
/// - Marketplace offers are changed by the product ingestion API:
///   <https://learn.microsoft.com/partner-center/marketplace-offers/product-ingestion-api>.
pub fn capability() -> Capability {
    Capability {
        replication: Replication::Batch,
        stages_apart: true,
        replicas_are_visible: true,
        visibilities: BTreeSet::from([VisibilityKind::Private, VisibilityKind::Shared, VisibilityKind::Community]),
        together: None,
        pointers: true,
        marketplace: true,
        read_back: ReadBack::Content,
        file_sha512: false,
        keeps_renditions: false,
    }
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::manifest::{ProviderConfig as _, Visibility};
    use cloud_publish_core::publisher::VisibilityKind;

    use super::capability;
    use crate::AzureConfig;

    #[test]
    fn public_does_not_exist_here_and_the_default_does() {
        let kinds = capability().visibilities;
        assert!(!kinds.contains(&VisibilityKind::from(&Visibility::Public)));
        assert!(kinds.contains(&VisibilityKind::from(&AzureConfig::VISIBILITY)));
    }
}
