//! A question as environment variables.

use std::collections::BTreeMap;

use crate::execute::Question;

const PREFIX: &str = "CLOUD_PUBLISH_";

/// The variables that tell a command what it is asked.
pub(super) fn variables(question: &Question) -> BTreeMap<String, String> {
    let regions: Vec<&str> = question.images.iter().map(|image| image.region.as_str()).collect();
    let fields = [
        ("OWNER", question.owner.to_string()),
        ("RELEASE", question.release.to_string()),
        ("TARGET", question.target.to_string()),
        ("PROVIDER", question.provider.to_string()),
        ("ACCOUNT", question.account.to_string()),
        ("VARIANT", question.variant.to_string()),
        ("ARCH", question.arch.to_string()),
        ("SUITE", question.suite.to_string()),
        ("VERSION", question.version.to_string()),
        ("CLASS", question.class.to_string()),
        ("DIGEST", question.digest.to_string()),
        ("NAME", question.name.to_string()),
        ("REGIONS", regions.join(" ")),
        ("IMAGE_ID", question.images.first().map(|image| image.id.to_string()).unwrap_or_default()),
    ];
    let fields = fields.into_iter().map(|(name, value)| (format!("{PREFIX}{name}"), value));
    fields.chain(ids(question)).collect()
}

/// The id of each region whose name is like no other's.
fn ids(question: &Question) -> impl Iterator<Item = (String, String)> {
    let mut ids: BTreeMap<String, Option<String>> = BTreeMap::new();
    for image in &question.images {
        let id = Some(image.id.to_string());
        ids.entry(word(image.region.as_str())).and_modify(|twice| *twice = None).or_insert(id);
    }
    ids.into_iter().filter_map(|(word, id)| Some((format!("{PREFIX}IMAGE_ID_{word}"), id?)))
}

fn word(region: &str) -> String {
    region.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::variables;
    use crate::gate::tests::question;

    #[test]
    fn each_region_has_its_id_and_two_that_would_meet_have_none() {
        let told = variables(&question(&[("eu-west-1", "ami-1"), ("RegionTwo", "ami-2"), ("a.b", "x"), ("a-b", "y")]));
        assert_eq!(told["CLOUD_PUBLISH_REGIONS"], "eu-west-1 RegionTwo a.b a-b");
        assert_eq!(told["CLOUD_PUBLISH_IMAGE_ID"], "ami-1");
        assert_eq!(told["CLOUD_PUBLISH_IMAGE_ID_EU_WEST_1"], "ami-1");
        assert_eq!(told["CLOUD_PUBLISH_IMAGE_ID_REGIONTWO"], "ami-2");
        assert!(!told.contains_key("CLOUD_PUBLISH_IMAGE_ID_A_B"));
    }
}
