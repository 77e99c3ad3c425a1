//! A fake Keystone and Glance with the clouds and regions that the configuration names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cloud_publish_core::manifest::Regions;
use cloud_publish_openstack::OpenStackConfig;
use rustix::process::Pid;
use serde_json::{Map, Value, json};

use super::stage::{Room, Stage};
use crate::openstack::{Cloud, FakeOpenStack, Login, PASSWORD, Project, REGIONS, Region, Settings, User, write_clouds};

/// Who publishes, in every cloud; may make images public.
const USER: &str = "publisher";

#[derive(Debug)]
pub(super) struct OpenStack {
    fake: FakeOpenStack,
    clouds: PathBuf,
    names: Vec<String>,
}

/// The regions of each cloud: those that its targets name, or else two.
pub(super) fn regions(room: &Room<'_>) -> Result<BTreeMap<String, BTreeSet<String>>, String> {
    let mut clouds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for target in room.targets("openstack") {
        let own: OpenStackConfig = target.own().map_err(|error| error.to_string())?;
        let regions = clouds.entry(own.cloud).or_default();
        if let Some(Regions::These(named)) = &target.regions {
            regions.extend(named.iter().map(ToString::to_string));
        }
        regions.extend(target.best_effort.iter().chain(&target.deny).map(ToString::to_string));
    }
    for regions in clouds.values_mut().filter(|regions| regions.is_empty()) {
        regions.extend(REGIONS.map(str::to_owned));
    }
    Ok(clouds)
}

/// Starts it.
pub(super) fn start(room: &Room<'_>) -> Result<OpenStack, String> {
    let mut settings = Settings { clouds: BTreeMap::new(), page_size: 100, ..Settings::default() };
    for (name, regions) in regions(room)? {
        let cloud = Cloud {
            regions: regions.into_iter().map(|region| (region, Region::default())).collect(),
            projects: BTreeMap::from([(USER.to_owned(), Project::default())]),
            users: BTreeMap::from([(USER.to_owned(), User::of(USER, "admin"))]),
            ..Cloud::default()
        };
        settings.clouds.insert(name, cloud);
    }
    let names: Vec<String> = settings.clouds.keys().cloned().collect();
    let fake = FakeOpenStack::start_with_tls(settings, room.ca);
    let entry = |name: &String| {
        let mut entry = fake.entry(Login { cloud: name, user: USER, project: USER, password: PASSWORD });
        entry["cacert"] = json!(room.authority);
        (name.clone(), entry)
    };
    let entries: Map<String, Value> = names.iter().map(entry).collect();
    let clouds = room.scratch.path("clouds.yaml");
    write_clouds(&clouds, entries);
    Ok(OpenStack { fake, clouds, names })
}

impl Stage for OpenStack {
    fn describe(&self) -> String {
        format!("a fake OpenStack with the clouds {} at {}", self.names.join(", "), self.fake.url)
    }

    fn environment(&self) -> Vec<(String, String)> {
        vec![("OS_CLIENT_CONFIG_FILE".to_owned(), self.clouds.display().to_string())]
    }
    fn process(&self) -> Option<Pid> {
        None
    }
}
