//! The names that images and pointers get: the templates of `[naming]`, filled.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::problem::Place;
use super::release::{Artifact, Release};
use super::template::{Placeholder, Template};
use super::words::quote;
use crate::error::{Error, Kind, Result};
use crate::names::{Class, ImageName, Owner, TargetName};
use crate::publisher::ImageSpec;

/// The templates of an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// Makes the name of an image.
    pub image: Template,
    /// Makes the name of a pointer, which stays the same from release to release.
    pub family: Template,
    owner: Owner,
    pub(super) image_at: Place,
    pub(super) family_at: Place,
}

/// What the placeholders become.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) owner: &'a str,
    pub(super) release: &'a str,
    pub(super) suite: &'a str,
    pub(super) suite_id: &'a str,
    pub(super) variant: &'a str,
    pub(super) arch: &'a str,
    pub(super) class: Class,
    pub(super) version: &'a str,
    pub(super) date: &'a str,
    pub(super) target: &'a str,
}

impl Values<'_> {
    pub(super) fn fill(self, template: &Template) -> String {
        template.fill(|placeholder| match placeholder {
            Placeholder::Owner => self.owner,
            Placeholder::Release => self.release,
            Placeholder::Suite => self.suite,
            Placeholder::SuiteId => self.suite_id,
            Placeholder::Variant => self.variant,
            Placeholder::Arch => self.arch,
            Placeholder::Class => self.class.as_str(),
            Placeholder::ClassSuffix => self.class.suffix(),
            Placeholder::Version => self.version,
            Placeholder::Date => self.date,
            Placeholder::Target => self.target,
        })
    }
}

impl Naming {
    pub(super) fn new(owner: Owner, image: (Template, Place), family: (Template, Place)) -> Self {
        Self { image: image.0, family: family.0, owner, image_at: image.1, family_at: family.1 }
    }

    /// The name of an artifact's image at a target.
    ///
    /// Only the manifest and the configuration decide it, so every run makes the same name. Whether a cloud takes it
    /// (length, characters) is that provider's preflight.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when the template gives nothing, as `{class_suffix}` alone does for a release.
    pub fn image(&self, release: &Release, artifact: &Artifact, target: &TargetName) -> Result<ImageName> {
        let name = self.fill(&self.image, release, artifact, target);
        ImageName::new(name).map_err(|e| {
            let template = quote(&self.image.to_string());
            Error::new(Kind::InvalidInput, format!("`naming.image` = {template} gives no usable name"))
                .with("release", &release.name)
                .hint("add `{variant}`, `{arch}` and `{version}`")
                .caused_by(e)
        })
    }

    /// The name of the pointer to the newest image of an artifact's line at a target.
    pub fn family(&self, release: &Release, artifact: &Artifact, target: &TargetName) -> String {
        self.fill(&self.family, release, artifact, target)
    }

    fn fill(&self, template: &Template, release: &Release, artifact: &Artifact, target: &TargetName) -> String {
        let values = Values {
            owner: self.owner.as_str(),
            release: release.name.as_str(),
            suite: release.suite.as_str(),
            suite_id: &release.suite_id,
            variant: artifact.variant.as_str(),
            arch: artifact.arch.as_str(),
            class: release.class,
            version: release.version.as_str(),
            date: &day(release.date),
            target: target.as_str(),
        };
        values.fill(template)
    }
}

impl Template {
    /// The text for one image at a target: what providers make names of their own from.
    pub fn fill_for(&self, image: &ImageSpec, target: &TargetName) -> String {
        let tags = &image.tags;
        let values = Values {
            owner: tags.owner.as_str(),
            release: tags.release.as_str(),
            suite: tags.suite.as_str(),
            suite_id: &image.suite_id,
            variant: tags.variant.as_str(),
            arch: tags.arch.as_str(),
            class: tags.class,
            version: tags.version.as_str(),
            date: &day(tags.date),
            target: target.as_str(),
        };
        values.fill(self)
    }
}

fn day(date: Timestamp) -> String {
    date.to_zoned(TimeZone::UTC).strftime("%Y%m%d").to_string()
}

#[cfg(test)]
mod tests {
    use crate::manifest::examples;
    use crate::names::{Class, TargetName};

    #[test]
    fn images_and_families_get_the_names_of_the_templates() {
        let (config, mut release) = (examples::config(), examples::release());
        let target = TargetName::new("local").unwrap();
        let artifact = release.artifacts[0].clone();
        let image = |release: &_| config.naming.image(release, &artifact, &target).unwrap().to_string();
        assert_eq!(image(&release), "debian-12-genericcloud-amd64-20240101-1614");
        release.class = Class::Daily;
        assert_eq!(image(&release), "debian-12-genericcloud-amd64-daily-20240101-1614");
        assert_eq!(config.naming.family(&release, &artifact, &target), "debian-12-genericcloud-amd64-daily");
    }

    #[test]
    fn every_placeholder_has_its_value_and_the_date_is_in_utc() {
        let text = examples::CONFIG.replace(
            "\ndebian-{suite_id}".trim_start(),
            "{owner}/{release}/{suite}/{class}/{date}/{target}/{suite_id}",
        );
        let config = examples::parse_config(&text).unwrap();
        let mut release = examples::release();
        release.date = "2024-01-01T23:30:00-03:00".parse().unwrap();
        let name = config.naming.image(&release, &release.artifacts[0], &TargetName::new("aws").unwrap()).unwrap();
        let wanted = "debian/bookworm-20240101/bookworm/release/20240102/aws/12-genericcloud-amd64-20240101-1614";
        assert_eq!(name.as_str(), wanted);
    }

    #[test]
    fn a_template_that_gives_nothing_is_an_error() {
        let text =
            examples::CONFIG.replace("debian-{suite_id}-{variant}-{arch}{class_suffix}-{version}", "{class_suffix}");
        let config = examples::parse_config(&text).unwrap();
        let release = examples::release();
        let error = config.naming.image(&release, &release.artifacts[0], &TargetName::new("aws").unwrap()).unwrap_err();
        assert_eq!(error.message(), "`naming.image` = `{class_suffix}` gives no usable name");
    }
}
