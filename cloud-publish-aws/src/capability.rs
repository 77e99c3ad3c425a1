//! What AWS can do, for the planner.

use std::collections::BTreeSet;

use cloud_publish_core::publisher::{Capability, ReadBack, Replication, VisibilityKind};

/// Describes EC2's images.
///
/// # Why
/// - Bytes are a snapshot until an image is made of it.
/// - One `CopyImage` per region, from the home region; a copy starts private, without launch permissions:
///   <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html>.
/// - An image is private, shared with accounts or organisations, or public; there is no `community`:
///   <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html>.
/// - An SSM parameter of type `aws:ec2:image` leads to the newest image:
///   <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html>.
/// - The blocks of a snapshot can be listed and read:
///   <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-accessing-snapshot.html>.
/// - Marketplace listings are changed by change sets:
///   <https://docs.aws.amazon.com/marketplace/latest/APIReference/API_StartChangeSet.html>.
pub fn capability() -> Capability {
    Capability {
        replication: Replication::PerRegion,
        stages_apart: true,
        replicas_are_visible: false,
        visibilities: BTreeSet::from([VisibilityKind::Private, VisibilityKind::Shared, VisibilityKind::Public]),
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
    use crate::AwsConfig;

    #[test]
    fn community_does_not_exist_here_and_the_default_does() {
        let kinds = capability().visibilities;
        assert!(!kinds.contains(&VisibilityKind::from(&Visibility::Community)));
        assert!(kinds.contains(&VisibilityKind::from(&AwsConfig::VISIBILITY)));
    }
}
