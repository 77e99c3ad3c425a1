//! Whom images are shared with: Glance takes any text for a project's id and never looks.

use std::collections::BTreeSet;

use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{Finding, ImageSpec, Severity};

use crate::publisher::Here;

/// What Keystone makes ids of: 32 hex digits, or 64 where projects come from elsewhere.
fn is_id(project: &str) -> bool {
    matches!(project.len(), 32 | 64) && project.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Parties that are probably not what was meant.
pub(super) fn members(here: &Here, specs: &[&ImageSpec]) -> Vec<Finding> {
    let parties = |visibility: &Visibility| match visibility {
        Visibility::SharedWith(parties) => parties.clone(),
        _ => Vec::new(),
    };
    let all: BTreeSet<String> = specs.iter().flat_map(|spec| parties(&spec.visibility)).collect();
    let odd = all.into_iter().filter_map(|project| {
        if project == here.place.account.as_str() {
            return Some(format!("`shared_with` names this very project, {project}"));
        }
        (!is_id(&project)).then(|| format!("`{project}` in `shared_with` does not look like a project's id"))
    });
    odd.map(|message| Finding {
        severity: Severity::Warning,
        region: Some(here.region().clone()),
        message,
        hint: Some("`openstack project show NAME -c id` tells the id; a name is shared with nobody".to_owned()),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn names_are_told_from_ids() {
        assert!(is_id("4d4d5aacf03d485d9b9e70a4b015edcd") && is_id(&"a0".repeat(32)));
        assert!(!is_id("images") && !is_id("") && !is_id("4d4d5aacf03d485d9b9e70a4b015edcg"));
    }
}
