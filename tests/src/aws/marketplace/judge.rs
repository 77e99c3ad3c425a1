//! What is wrong with a change whose form is right, in the error codes that DescribeChangeSet tells later.
//! <https://docs.aws.amazon.com/marketplace/latest/developerguide/work-with-single-ami-products.html>

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::HOME;
use super::document;
use super::state::Product;
use crate::aws::ec2;
use crate::aws::iam;
use crate::aws::settings::Settings;

/// The longest texts, in characters. The reference tells that there are limits, the seller's guide which.
const TITLE: usize = 255;
const TEXT: usize = 30_000;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What a change is judged by.
pub(super) struct Bench<'w> {
    pub(super) settings: &'w Settings,
    pub(super) ec2: &'w ec2::State,
    pub(super) product: &'w Product,
    pub(super) account: &'w str,
    pub(super) now: Timestamp,
}

impl Bench<'_> {
    /// All that is wrong with a change.
    pub(super) fn judge(&self, kind: &str, details: &Value) -> Vec<Fault> {
        let allowed: &[&str] = if kind == "RestrictDeliveryOptions" { &["Public"] } else { &["Public", "Limited"] };
        if !allowed.contains(&self.product.visibility.as_str()) {
            let wanted = if allowed.len() == 1 { "public" } else { "limited or public" };
            return vec![Fault::new("INVALID_PRODUCT", format!("Use an existing {wanted} product."))];
        }
        match kind {
            "AddDeliveryOptions" => self.addition(details),
            "UpdateDeliveryOptions" => self.update(details),
            _ => self.restriction(details),
        }
    }

    fn document(&self) -> &Value {
        self.product.at(self.now).1
    }

    fn addition(&self, details: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        let version = &details["Version"];
        let title = version["VersionTitle"].as_str().unwrap_or_default();
        if document::versions(self.document()).any(|known| known["VersionTitle"] == title) {
            let message = "The version title must be different from any other version titles of this product.";
            faults.push(Fault::new("DUPLICATE_VERSION_TITLE", message));
        }
        faults.extend(text("INVALID_VERSION_TITLE", "version title", title, TITLE));
        faults.extend(text(
            "INVALID_RELEASE_NOTES",
            "release notes",
            version["ReleaseNotes"].as_str().unwrap_or_default(),
            TEXT,
        ));
        let options = details["DeliveryOptions"].as_array().map(Vec::as_slice).unwrap_or_default();
        if options.len() > 1 {
            faults.push(Fault::new("INVALID_DELIVERY_OPTIONS", "Provide one delivery option of this type."));
        }
        for option in options {
            let option = &option["Details"]["AmiDeliveryOptionDetails"];
            faults.extend(self.option(option));
            faults.extend(self.source(&option["AmiSource"]));
        }
        faults
    }

    fn option(&self, option: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(usage) = option["UsageInstructions"].as_str() {
            faults.extend(text("INVALID_USAGE_INSTRUCTIONS", "usage instructions", usage, TEXT));
        }
        if let Some(wanted) = option["RecommendedInstanceType"].as_str()
            && !document::instance_types(self.document()).any(|known| known == wanted)
        {
            let message = "Provide an existing, available instance type.";
            faults.push(Fault::new("RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE", message));
        }
        for group in option["SecurityGroups"].as_array().into_iter().flatten() {
            faults.extend(security_group(group));
        }
        faults
    }

    fn source(&self, source: &Value) -> Vec<Fault> {
        let id = source["AmiId"].as_str().unwrap_or_default();
        let digits = id.strip_prefix("ami-").unwrap_or_default();
        if !matches!(digits.len(), 8 | 17) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return vec![Fault::new("INVALID_AMI_ID", "Provide valid AMI ID.")];
        }
        let role = source["AccessRoleArn"].as_str().unwrap_or_default();
        let image = self.ec2.images.get(id);
        let image = image.filter(|image| image.owner == self.account && image.region == HOME && self.may_share(role));
        let Some(image) = image else {
            let message = format!(
                "Check if {id} exists in {HOME} Region of {} AWS account and the AccessARN provided {role} has \
                 permissions to share this AMI with AWS Marketplace.",
                self.account
            );
            return vec![Fault::new("ASSET_NOT_FOUND", message)];
        };
        let mut faults = Vec::new();
        if image.state(self.now) != "available" || image.attributes.devices.iter().any(|device| device.encrypted) {
            let message = format!("Unable to copy AMI {id} into AWS Marketplace account.");
            faults.push(Fault::new("ASSET_ACCESS_EXCEPTION", message));
        }
        if let Some(wanted) = document::architecture(self.document()).filter(|it| *it != image.attributes.architecture)
        {
            let message = format!("Provide new AMI with architecture {wanted}.");
            faults.push(Fault::new("INVALID_AMI_ARCHITECTURE", message));
        }
        if !image.attributes.ena {
            let types: Vec<&str> = document::instance_types(self.document()).collect();
            let message = format!(
                "Enable ENA support for image {id} because following instance types require ENA support: {}",
                types.join(", ")
            );
            faults.push(Fault::new("INCOMPATIBLE_AMI", message));
        }
        faults
    }

    /// <https://docs.aws.amazon.com/marketplace/latest/userguide/single-ami-marketplace-ami-access.html>
    fn may_share(&self, arn: &str) -> bool {
        let role =
            self.settings.accounts.get(self.account).and_then(|account| {
                account.roles.get(arn.strip_prefix(&format!("arn:aws:iam::{}:role/", self.account))?)
            });
        let needed = ["ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute"];
        role.is_some_and(|role| {
            let trusted = role.trusts.iter().any(|service| service == "assets.marketplace.amazonaws.com");
            trusted && needed.iter().all(|action| iam::allows(role, action, "*"))
        })
    }

    fn update(&self, details: &Value) -> Vec<Fault> {
        let options = details["DeliveryOptions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ids: Vec<&str> = options.iter().filter_map(|option| option["Id"].as_str()).collect();
        let mut faults = self.unknown(&ids);
        let versions = ids.iter().filter_map(|id| document::version_of(self.document(), id));
        if versions.map(|version| version["Id"].as_str()).collect::<BTreeSet<_>>().len() > 1 {
            let message = "Provide delivery option IDs that belong to the same version.";
            faults.push(Fault::new("INVALID_DELIVERY_OPTIONS", message));
        }
        if let Some(notes) = details["Version"]["ReleaseNotes"].as_str() {
            faults.extend(text("INVALID_RELEASE_NOTES", "release notes", notes, TEXT));
        }
        faults.extend(options.iter().flat_map(|option| self.option(&option["Details"]["AmiDeliveryOptionDetails"])));
        faults
    }

    fn restriction(&self, details: &Value) -> Vec<Fault> {
        let ids = details["DeliveryOptionIds"].as_array().into_iter().flatten();
        let ids: Vec<&str> = ids.filter_map(Value::as_str).collect();
        let mut faults = self.unknown(&ids);
        let public: BTreeSet<&str> = document::public_options(self.document()).collect();
        let hidden: Vec<&str> = ids.iter().copied().filter(|id| !public.contains(id)).collect();
        if faults.is_empty() && !hidden.is_empty() {
            let why = "Provide delivery option IDs that are in a public state. IDs not in public state";
            faults.push(Fault::new("INVALID_DELIVERY_OPTION", format!("{why}: {}", hidden.join(", "))));
        }
        if faults.is_empty() && public.iter().all(|id| ids.contains(id)) {
            let message = "Provide fewer delivery options to restrict as at least one must remain in public state.";
            faults.push(Fault::new("ALL_DELIVERY_OPTIONS_RESTRICTED", message));
        }
        faults
    }

    fn unknown(&self, ids: &[&str]) -> Vec<Fault> {
        let unknown = ids.iter().copied().filter(|id| document::version_of(self.document(), id).is_none());
        let unknown: Vec<&str> = unknown.collect();
        if unknown.is_empty() {
            return Vec::new();
        }
        let why = "Provide delivery option IDs that can be found in the product. IDs not found";
        vec![Fault::new("INVALID_DELIVERY_OPTION_IDS", format!("{why}: {}", unknown.join(", ")))]
    }
}

fn text(code: &'static str, name: &str, value: &str, longest: usize) -> Option<Fault> {
    let problem = if value.trim().is_empty() {
        format!("Provide {name}.")
    } else if value.starts_with(char::is_whitespace) {
        format!("Remove spaces from the beginning of the {name}.")
    } else if value.chars().count() > longest {
        format!("Provide {name} with fewer than {} characters.", longest + 1)
    } else {
        return None;
    };
    Some(Fault::new(code, problem))
}

fn security_group(group: &Value) -> Option<Fault> {
    let port = |name: &str| group[name].as_u64().unwrap_or_default();
    let (from, to) = (port("FromPort"), port("ToPort"));
    if !matches!(group["IpProtocol"].as_str(), Some("tcp" | "udp")) {
        let message = "Security group protocol must either be 'tcp' or 'udp'.";
        return Some(Fault::new("INVALID_SECURITY_GROUP_PROTOCOL", message));
    }
    if !(1..=65_535).contains(&from) || !(1..=65_535).contains(&to) {
        return Some(Fault::new("INVALID_SECURITY_GROUP", "Security group ports must be between 1 and 65535."));
    }
    if from > to {
        let message = "Provide security group start port that is not greater than end port.";
        return Some(Fault::new("INVALID_SECURITY_GROUP", message));
    }
    let mut ranges = group["IpRanges"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let bad = ranges.any(|range| !is_cidr(range));
    bad.then(|| Fault::new("INVALID_CIDR_IP", "Provide standard CIDR IP range in form '0.0.0.0/0'."))
}

fn is_cidr(range: &str) -> bool {
    let Some((address, length)) = range.split_once('/') else { return false };
    address.parse::<std::net::Ipv4Addr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= 32)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{security_group, text};

    #[test]
    fn texts_have_a_length_and_no_space_before_them() {
        let code = |value: &str| text("CODE", "title", value, 5).map(|fault| fault.message);
        assert_eq!(code("12345"), None);
        assert_eq!(code("123456").unwrap(), "Provide title with fewer than 6 characters.");
        assert!(code(" 1").unwrap().starts_with("Remove spaces"));
        assert!(code("").is_some());
    }

    #[test]
    fn a_security_group_names_ports_and_ranges() {
        let code = |protocol: &str, from: u16, to: u16, range: &str| {
            let group = json!({"IpProtocol": protocol, "FromPort": from, "ToPort": to, "IpRanges": [range]});
            security_group(&group).map(|fault| fault.code)
        };
        assert_eq!(code("tcp", 22, 22, "0.0.0.0/0"), None);
        assert_eq!(code("icmp", 22, 22, "0.0.0.0/0"), Some("INVALID_SECURITY_GROUP_PROTOCOL"));
        assert_eq!(code("tcp", 23, 22, "0.0.0.0/0"), Some("INVALID_SECURITY_GROUP"));
        assert_eq!(code("tcp", 0, 22, "0.0.0.0/0"), Some("INVALID_SECURITY_GROUP"));
        assert_eq!(code("tcp", 22, 22, "everywhere"), Some("INVALID_CIDR_IP"));
    }
}
