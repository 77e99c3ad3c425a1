//! What a world is like: its clouds, projects, users, regions, delays, quotas and policies. Everything has a default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::fake::merge;

/// The cloud of the defaults.
pub const CLOUD: &str = "fake";

/// The regions of the defaults.
pub const REGIONS: [&str; 2] = ["RegionOne", "RegionTwo"];

/// The password of everybody in the defaults.
pub const PASSWORD: &str = "test-user";

/// How a world begins. Changes take effect with the next request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// By name, which is also the first part of their addresses.
    pub clouds: BTreeMap<String, Cloud>,
    /// Most images of any page, whatever the client asks for.
    pub page_size: usize,
    /// How long things take.
    pub delays: Delays,
}

/// A Keystone and the Glance of each of its regions. Everything in it is in the domain `Default`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloud {
    /// By name.
    pub regions: BTreeMap<String, Region>,
    /// By name; [`project_id`] tells their ids.
    pub projects: BTreeMap<String, Project>,
    /// By name.
    pub users: BTreeMap<String, User>,
    /// The life of a token.
    pub token_seconds: i64,
    /// Who may do what.
    pub policy: Policy,
}

/// A region's Glance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Region {
    /// The stores, the default one first; none: a Glance that has one store and does not speak of it.
    pub stores: Vec<String>,
    /// The stores into which no import succeeds.
    pub broken_stores: Vec<String>,
    /// `glance-direct`, `web-download`, `copy-image`; none: a Glance without imports.
    pub import_methods: Vec<String>,
    /// Imports begin and never end.
    pub imports_hang: bool,
    /// Most bytes of an image.
    pub image_size_cap: u64,
}

/// A project.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Project {
    /// In each region; absent: a cloud that has none and tells none.
    pub quotas: Option<Quotas>,
}

/// Limits of a project in a region. <https://docs.openstack.org/glance/latest/admin/quotas.html>
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// MiB of all images.
    pub image_size_total: u64,
    /// MiB that are staged.
    pub image_stage_total: u64,
    /// Images in any state.
    pub image_count_total: u64,
    /// Images that are being uploaded.
    pub image_count_uploading: u64,
}

/// A user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// The password.
    pub password: String,
    /// Roles by the name of a project.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Application credentials by name.
    pub application_credentials: BTreeMap<String, ApplicationCredential>,
}

/// What a program signs in with, instead of a user's password.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApplicationCredential {
    /// The secret.
    pub secret: String,
    /// The name of the only project that it is for.
    pub project: String,
}

/// Roles that may do what; `*` is everybody who may change the image anyhow.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// `publicize_image`
    pub publicize: Vec<String>,
    /// `communitize_image`
    pub communitize: Vec<String>,
    /// `deactivate` and `reactivate`
    pub deactivate: Vec<String>,
    /// `copy_image`
    pub copy: Vec<String>,
}

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delays {
    /// From the last byte of an upload to `active`.
    pub save: u64,
    /// An import into each store.
    pub import: u64,
}

impl Settings {
    /// These settings with some members replaced, as JSON merge patch does.
    ///
    /// # Errors
    /// What is wrong with the result.
    pub fn merged(&self, patch: Value) -> Result<Self, serde_json::Error> {
        let mut whole = serde_json::to_value(self)?;
        merge(&mut whole, patch);
        serde_json::from_value(whole)
    }
}

/// The id of a project of a cloud, by its name: 32 hex digits, as Keystone has them.
pub fn project_id(cloud: &str, project: &str) -> String {
    id("project", cloud, project)
}

/// The id of a user of a cloud.
pub(crate) fn user_id(cloud: &str, user: &str) -> String {
    id("user", cloud, user)
}

/// The id of something that the settings only name.
pub(crate) fn id(kind: &str, cloud: &str, name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{kind}/{cloud}/{name}").as_bytes()).simple().to_string()
}

impl Policy {
    /// Tells whether one of these roles is among those that may.
    pub(crate) fn allows(may: &[String], roles: &[String]) -> bool {
        may.iter().any(|role| role == "*" || roles.contains(role))
    }
}

impl Default for Settings {
    fn default() -> Self {
        let clouds = BTreeMap::from([(CLOUD.to_owned(), Cloud::default())]);
        Self { clouds, page_size: 3, delays: Delays::default() }
    }
}

impl Default for Cloud {
    fn default() -> Self {
        let roomy = Project { quotas: Some(Quotas::default()) };
        let small =
            Quotas { image_size_total: 8, image_stage_total: 8, image_count_total: 3, image_count_uploading: 2 };
        let projects =
            [("publisher", roomy.clone()), ("consumer", roomy), ("smallquota", Project { quotas: Some(small) })];
        let users = [
            ("publisher-admin", "publisher", "admin"),
            ("publisher", "publisher", "member"),
            ("consumer", "consumer", "member"),
            ("smallquota", "smallquota", "member"),
        ];
        let users = users.map(|(name, project, role)| (name.to_owned(), User::of(project, role)));
        Self {
            regions: REGIONS.map(|name| (name.to_owned(), Region::default())).into(),
            projects: projects.map(|(name, project)| (name.to_owned(), project)).into(),
            users: users.into(),
            token_seconds: 3600,
            policy: Policy::default(),
        }
    }
}

impl User {
    /// Somebody with one role in one project.
    pub fn of(project: &str, role: &str) -> Self {
        let roles = BTreeMap::from([(project.to_owned(), vec![role.to_owned()])]);
        Self { password: PASSWORD.to_owned(), roles, application_credentials: BTreeMap::new() }
    }
}

impl Default for Region {
    fn default() -> Self {
        Self {
            stores: ["fast", "slow"].map(str::to_owned).to_vec(),
            broken_stores: Vec::new(),
            import_methods: ["glance-direct", "web-download", "copy-image"].map(str::to_owned).to_vec(),
            imports_hang: false,
            image_size_cap: 1 << 40,
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            image_size_total: 65_536,
            image_stage_total: 65_536,
            image_count_total: 10_000,
            image_count_uploading: 1_000,
        }
    }
}

/// Glance's own: <https://docs.openstack.org/glance/latest/configuration/glance_policy.html>.
impl Default for Policy {
    fn default() -> Self {
        let everybody = || vec!["*".to_owned()];
        let admin = || vec!["admin".to_owned()];
        Self { publicize: admin(), communitize: everybody(), deactivate: everybody(), copy: admin() }
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self { save: 20, import: 50 }
    }
}
