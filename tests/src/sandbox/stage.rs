//! What stands for each provider. A provider that has nothing is refused by name: its targets would reach the real cloud.

use std::fmt::Debug;
use std::path::Path;

use cloud_publish_core::manifest::{Config, State, TargetConfig};

use rustix::process::Pid;

use super::scratch::Scratch;
use super::signals::Signals;
use super::{aws, openstack, real};
use crate::fake::Ca;

/// Something that stands for a cloud as long as it is there.
pub(super) trait Stage: Debug {
    /// One sentence for the user, without a full stop.
    fn describe(&self) -> String;

    /// The variables that lead clients to it.
    fn environment(&self) -> Vec<(String, String)>;

    /// The process that it is, if it is not in this one.
    fn process(&self) -> Option<Pid>;
}

/// What stages are made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room<'a> {
    pub(super) config: &'a Config,
    pub(super) ca: &'a Ca,
    /// The authority's certificate as a file.
    pub(super) authority: &'a Path,
    pub(super) scratch: &'a Scratch,
    /// Real servers where there are some.
    pub(super) real: bool,
    /// Whoever waits looks for them.
    pub(super) signals: &'a Signals,
}

impl<'a> Room<'a> {
    /// The targets of a provider, in the order of their names.
    pub(super) fn targets(&self, provider: &'static str) -> impl Iterator<Item = &'a TargetConfig> + use<'a> {
        self.config.targets.values().filter(move |target| target.provider.as_str() == provider)
    }

    /// The bucket of the state, if it is one of AWS's.
    pub(super) fn state_bucket(&self) -> Option<&'a str> {
        let State::Url(url) = &self.config.state else { return None };
        url.strip_prefix("s3://")?.split('/').next()
    }
}

/// Starts everything that the configuration needs.
pub(super) fn all(room: &Room<'_>) -> Result<Vec<Box<dyn Stage>>, String> {
    for target in room.config.targets.values() {
        let provider = target.provider.as_str();
        if !["local", "aws", "openstack"].contains(&provider) {
            return Err(format!(
                "target.{}: the sandbox has nothing that stands for {provider} yet\n\
                 hint: try a copy of the configuration without this target",
                target.name
            ));
        }
    }
    if let State::Url(url) = &room.config.state
        && room.state_bucket().is_none()
    {
        return Err(format!(
            "the sandbox has nothing that stands for the state {url} yet\n\
             hint: try a copy of the configuration with a folder or an s3:// address"
        ));
    }
    let mut stages: Vec<Box<dyn Stage>> = Vec::new();
    if room.targets("aws").next().is_some() || room.state_bucket().is_some() {
        stages.push(Box::new(aws::start(room)?));
    }
    if room.targets("openstack").next().is_some() {
        stages.push(if room.real { Box::new(real::start(room)?) } else { Box::new(openstack::start(room)?) });
    }
    Ok(stages)
}
