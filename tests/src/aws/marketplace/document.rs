//! What a product looks like to DescribeEntity, and what a change makes of it. All of it is pure.
//!
//! The shape is that of `AmiProduct@1.0` entities:
//! <https://github.com/awslabs/aws-marketplace-catalog-api-shapes-for-java>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::follow::time;
use super::seed::Product;

/// A product of the settings.
pub(super) fn of_seed(product: &Product, now: Timestamp, mut next: impl FnMut() -> String) -> Value {
    let mut document = json!({
        "Description": {"ProductTitle": product.title, "Visibility": product.visibility, "ProductState": "Active"},
        "Compatibility": {"AvailableInstanceTypes": product.instance_types, "RestrictedInstanceTypes": []},
        "Versions": [],
    });
    for title in &product.versions {
        let details = json!({
            "Version": {"VersionTitle": title, "ReleaseNotes": title},
            "DeliveryOptions": [{"Details": {"AmiDeliveryOptionDetails": {
                "AmiSource": {"AmiId": "ami-00000000", "UserName": "admin", "OperatingSystemName": "DEBIAN",
                              "OperatingSystemVersion": title},
                "UsageInstructions": title, "RecommendedInstanceType": product.instance_types.first(),
                "SecurityGroups": [],
            }}}],
        });
        add(&mut document, &details, &product.architecture, (now, &mut next));
    }
    document
}

/// All versions.
pub(super) fn versions(document: &Value) -> impl Iterator<Item = &Value> {
    document["Versions"].as_array().into_iter().flatten()
}

fn options(version: &Value) -> impl Iterator<Item = &Value> {
    version["DeliveryOptions"].as_array().into_iter().flatten()
}

/// The version that a delivery option belongs to.
pub(super) fn version_of<'d>(document: &'d Value, option: &str) -> Option<&'d Value> {
    versions(document).find(|version| options(version).any(|known| known["Id"] == option))
}

/// The ids of delivery options that buyers can choose.
pub(super) fn public_options(document: &Value) -> impl Iterator<Item = &str> {
    let all = versions(document).flat_map(options);
    all.filter(|option| option["Visibility"] == "Public").filter_map(|option| option["Id"].as_str())
}

/// What can be recommended.
pub(super) fn instance_types(document: &Value) -> impl Iterator<Item = &str> {
    document["Compatibility"]["AvailableInstanceTypes"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The architecture of the newest version: a product has one.
pub(super) fn architecture(document: &Value) -> Option<&str> {
    versions(document).last()?["Sources"][0]["Architecture"].as_str()
}

/// Adds a version.
pub(super) fn add(
    document: &mut Value,
    details: &Value,
    architecture: &str,
    (now, next): (Timestamp, &mut dyn FnMut() -> String),
) {
    let option = &details["DeliveryOptions"][0]["Details"]["AmiDeliveryOptionDetails"];
    let source = &option["AmiSource"];
    let source_id = next();
    let version = json!({
        "Id": next(),
        "VersionTitle": details["Version"]["VersionTitle"],
        "ReleaseNotes": details["Version"]["ReleaseNotes"],
        "CreationDate": time(now),
        "Sources": [{
            "Id": source_id,
            "Type": "AmazonMachineImage",
            "Image": source["AmiId"],
            "Architecture": architecture,
            "VirtualizationType": "hvm",
            "OperatingSystem": {
                "Name": source["OperatingSystemName"],
                "Version": source["OperatingSystemVersion"],
                "Username": source["UserName"],
                "ScanningPort": source["ScanningPort"].as_u64().unwrap_or(22),
            },
            "Compatibility": document["Compatibility"],
        }],
        "DeliveryOptions": [{
            "Id": next(),
            "Type": "AmazonMachineImage",
            "SourceId": source_id,
            "Title": details["Version"]["VersionTitle"],
            "Visibility": "Public",
            "Instructions": {"Usage": option["UsageInstructions"]},
            "Recommendations": {
                "InstanceType": option["RecommendedInstanceType"],
                "SecurityGroups": groups(&option["SecurityGroups"]),
            },
        }],
    });
    if let Some(versions) = document["Versions"].as_array_mut() {
        versions.push(version);
    }
}

fn groups(groups: &Value) -> Value {
    let groups = groups.as_array().into_iter().flatten();
    let group = |group: &Value| {
        json!({"Protocol": group["IpProtocol"], "FromPort": group["FromPort"], "ToPort": group["ToPort"],
               "CidrIps": group["IpRanges"]})
    };
    groups.map(group).collect()
}

/// Changes what a change of delivery options names.
pub(super) fn update(document: &mut Value, details: &Value) {
    for change in details["DeliveryOptions"].as_array().into_iter().flatten() {
        let notes = &details["Version"]["ReleaseNotes"];
        let changed = &change["Details"]["AmiDeliveryOptionDetails"];
        for version in document["Versions"].as_array_mut().into_iter().flatten() {
            let mut concerned = false;
            for option in version["DeliveryOptions"].as_array_mut().into_iter().flatten() {
                if option["Id"] != change["Id"] {
                    continue;
                }
                concerned = true;
                replace(&mut option["Instructions"]["Usage"], &changed["UsageInstructions"]);
                replace(&mut option["Recommendations"]["InstanceType"], &changed["RecommendedInstanceType"]);
                if !changed["SecurityGroups"].is_null() {
                    option["Recommendations"]["SecurityGroups"] = groups(&changed["SecurityGroups"]);
                }
            }
            if concerned {
                replace(&mut version["ReleaseNotes"], notes);
            }
        }
    }
}

fn replace(old: &mut Value, new: &Value) {
    if !new.is_null() {
        *old = new.clone();
    }
}

/// Takes delivery options from new buyers.
pub(super) fn restrict(document: &mut Value, details: &Value) {
    let ids = details["DeliveryOptionIds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let versions = document["Versions"].as_array_mut().into_iter().flatten();
    for option in versions.flat_map(|version| version["DeliveryOptions"].as_array_mut().into_iter().flatten()) {
        if ids.contains(&option["Id"]) {
            option["Visibility"] = json!("Restricted");
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::{Product, of_seed, public_options, restrict, update, version_of};

    #[test]
    fn changes_reach_the_option_that_they_name_and_no_other() {
        let product = Product { versions: vec!["a".to_owned(), "b".to_owned()], ..Product::default() };
        let mut count = 0;
        let mut document = of_seed(&product, Timestamp::UNIX_EPOCH, || {
            count += 1;
            format!("id-{count}")
        });
        let ids: Vec<String> = public_options(&document).map(str::to_owned).collect();
        assert_eq!(ids.len(), 2);
        restrict(&mut document, &json!({"DeliveryOptionIds": [ids[0]]}));
        assert_eq!(public_options(&document).collect::<Vec<_>>(), [ids[1].as_str()]);
        let details = json!({"Version": {"ReleaseNotes": "new"}, "DeliveryOptions": [{"Id": ids[1]}]});
        update(&mut document, &details);
        let notes = |id: &str| version_of(&document, id).unwrap()["ReleaseNotes"].clone();
        assert_eq!((notes(&ids[0]), notes(&ids[1])), (json!("a"), json!("new")));
    }
}
