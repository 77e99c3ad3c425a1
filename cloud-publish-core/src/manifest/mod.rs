//! What should be true: release manifests and `publish.toml`, read, checked and resolved.
//!
//! A file becomes a tree of values with places (`document`), is checked against the JSON Schema that its Rust types
//! generate (`schema`, `validate`, `formats`), and only then turned into those types, so that everything wrong with it
//! is reported at once, with file, line, column and the near word. [`collisions()`] compares the configuration with
//! releases. Nothing here talks to a cloud, opens a disk image, or reads the environment.
//!
//! ```
//! use std::path::Path;
//! use cloud_publish_core::manifest::Release;
//! let problems = Release::parse(Path::new("releases/x.toml"), "schema = 1\nnam = \"x\"\n").unwrap_err();
//! let first = problems.iter().find(|problem| problem.path == "nam");
//! assert_eq!(
//!     first.map(ToString::to_string).as_deref(),
//!     Some("releases/x.toml:2:1: unknown key `nam`; did you mean `name`?")
//! );
//! ```

mod collisions;
mod config;
mod decode;
mod digests;
mod document;
mod formats;
mod gate;
mod manifest_file;
mod naming;
mod paths;
mod problem;
mod provider;
mod release;
mod release_file;
pub mod schema;
mod span;
mod state;
mod target;
mod template;
mod validate;
mod visibility;
mod words;

#[cfg(test)]
mod examples;

pub use collisions::collisions;
pub use config::Config;
pub use digests::{FileDigest, Sha256, Sha512};
pub use gate::{GateConfig, GateRegions};
pub use manifest_file::ManifestFile;
pub use naming::Naming;
pub use problem::{Place, Problem, Problems};
pub use provider::{ProviderConfig, ProviderSchema};
pub use release::{Artifact, Release};
pub use release_file::Boot;
pub use state::State;
pub use target::{Regions, TargetConfig, Together};
pub use template::{Placeholder, Template};
pub use visibility::{ClassVisibility, Visibility, VisibilityPolicy};
pub use words::did_you_mean;
