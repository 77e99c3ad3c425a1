//! A fake AWS of one test's own, targets that publish to it, and images to publish.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cloud_publish_aws::{Aws, AwsSettings, Credentials, SdkConfig, SharedCredentialsProvider};
use cloud_publish_core::conformance::Sample;
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::manifest::{Boot, Visibility};
use cloud_publish_core::names::{Class, Region};
use cloud_publish_core::publisher::{ImageSpec, PreflightRequest, Probe};
use cloud_publish_tests::aws::{ACCOUNT, Entry, FakeAws, REGION, Rule, Settings};
use serde_json::{Value, json};

/// A fake AWS, and the keys of a target there.
pub(crate) struct World {
    pub(crate) fake: FakeAws,
    /// Who signs; the default account unless said otherwise.
    pub(crate) account: String,
}

impl World {
    /// As the defaults of [`Settings`] say, with some of them replaced as JSON merge patch does.
    pub(crate) fn start(patch: Value) -> Self {
        let settings = Settings::default().merged(patch).unwrap();
        Self { fake: FakeAws::start(settings), account: ACCOUNT.to_owned() }
    }

    /// Changes the fake's settings from the next request on.
    pub(crate) fn change(&self, patch: Value) {
        let changed = self.fake.world.settings().merged(patch).unwrap();
        self.fake.world.set_settings(changed);
    }

    /// Replaces the fake's faults.
    pub(crate) fn hurt(&self, rules: Value) {
        let rules: Vec<Rule> = serde_json::from_value(rules).unwrap();
        self.fake.world.set_faults(rules);
    }

    /// An SDK that speaks only to the fake.
    pub(crate) fn sdk(&self) -> SdkConfig {
        sdk_at(&self.fake.url, &self.account)
    }

    /// The settings of a target with the home region alone and these further keys.
    pub(crate) fn settings(&self, keys: Value) -> AwsSettings {
        settings_with(self.sdk(), keys)
    }

    /// A target with these keys.
    pub(crate) fn target(&self, keys: Value) -> Aws {
        Aws::new(self.settings(keys))
    }

    /// The requests since the start, as `SERVICE:Operation REGION`.
    pub(crate) fn asked(&self) -> Vec<String> {
        let line = |entry: Entry| {
            let service = serde_json::to_value(entry.service).unwrap();
            format!("{}:{} {}", service.as_str().unwrap(), entry.operation, entry.region)
        };
        self.fake.world.requests().into_iter().map(line).collect()
    }

    /// The requests since the start that could change something.
    pub(crate) fn writes(&self) -> Vec<Entry> {
        self.fake.world.requests().into_iter().filter(|entry| entry.write).collect()
    }
}

/// An SDK of this account that speaks only to this server.
pub(crate) fn sdk_at(url: &str, account: &str) -> SdkConfig {
    let key = format!("AKIA{account}TEST");
    let builder = Credentials::builder().access_key_id(key).secret_access_key("any").provider_name("test");
    let credentials = SharedCredentialsProvider::new(builder.build());
    SdkConfig::builder().endpoint_url(url).credentials_provider(credentials).build()
}

/// The settings of a target with the home region alone and these further keys.
pub(crate) fn settings_with(sdk: SdkConfig, keys: Value) -> AwsSettings {
    let mut config = json!({"home_region": REGION});
    config.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    AwsSettings {
        target: "aws".parse().unwrap(),
        owner: "debian".parse().unwrap(),
        config: serde_json::from_value(config).unwrap(),
        regions: None,
        best_effort: Vec::new(),
        deny: Vec::new(),
        sdk: Some(sdk),
    }
}

/// A region by its name.
pub(crate) fn region(name: &str) -> Region {
    name.parse().unwrap()
}

/// Regions by their names.
pub(crate) fn regions(names: &[&str]) -> Vec<Region> {
    names.iter().map(|name| region(name)).collect()
}

/// A small disk of known content; the folder must outlive it.
pub(crate) fn disk(folder: &Path, seed: u8) -> Sample {
    Sample::write(folder, &format!("disk-{seed}.raw"), seed).unwrap()
}

/// What the release `bookworm-20240101` makes of a disk: public, BIOS or UEFI.
pub(crate) fn image(sample: &Sample) -> ImageSpec {
    ImageSpec {
        tags: ImageTags {
            owner: "debian".parse().unwrap(),
            release: "bookworm-20240101".parse().unwrap(),
            suite: "bookworm".parse().unwrap(),
            version: "20240101-1614".parse().unwrap(),
            class: Class::Release,
            variant: "genericcloud".parse().unwrap(),
            arch: "amd64".parse().unwrap(),
            rendition: "as-is".parse().unwrap(),
            date: "2024-01-01T00:00:00Z".parse().unwrap(),
            digest: sample.digest,
        },
        name: "debian-12-genericcloud-amd64-20240101-1614".parse().unwrap(),
        family: "debian-12-genericcloud-amd64".to_owned(),
        description: "Debian 12 for clouds".to_owned(),
        suite_id: "12".to_owned(),
        boot: Boot::UefiPreferred,
        format: sample.disk.format(),
        file_size: sample.disk.file_size(),
        virtual_size: sample.disk.virtual_size(),
        file_sha512: Some(sample.sha512.clone()),
        given: None,
        build_job: None,
        extra_tags: BTreeMap::new(),
        properties: BTreeMap::new(),
        visibility: Visibility::Public,
        build_manifest: None,
        outside_suite: None,
    }
}

/// A read-only preflight of these images, made and shown in these regions each.
pub(crate) fn additions(images: &[ImageSpec], names: &[&str]) -> PreflightRequest {
    let each = images.iter().flat_map(|image| names.iter().map(|name| (Arc::new(image.clone()), region(name))));
    let additions: Vec<_> = each.collect();
    PreflightRequest { exposures: additions.clone(), additions, probe: Probe::ReadOnly }
}
