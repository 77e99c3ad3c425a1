//! The form of the details of a change, as the reference of AMI products gives it. What does not fit is refused at
//! once.
//! <https://docs.aws.amazon.com/marketplace/latest/developerguide/work-with-single-ami-products.html>

use serde_json::Value;

/// What a value must be.
enum Shape {
    Text,
    Number,
    /// With at least one item.
    List(&'static Self),
    /// With these members and no others.
    Object(&'static [Member]),
}

struct Member {
    name: &'static str,
    shape: Shape,
    required: bool,
}

const fn must(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, required: true }
}

const fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, required: false }
}

const SECURITY_GROUP: Shape = Shape::Object(&[
    must("IpProtocol", Shape::Text),
    must("FromPort", Shape::Number),
    must("ToPort", Shape::Number),
    must("IpRanges", Shape::List(&Shape::Text)),
]);

const ENDPOINT: Shape =
    Shape::Object(&[must("Port", Shape::Number), must("Protocol", Shape::Text), may("RelativePath", Shape::Text)]);

const SOURCE: Shape = Shape::Object(&[
    must("AmiId", Shape::Text),
    must("AccessRoleArn", Shape::Text),
    must("UserName", Shape::Text),
    may("ScanningPort", Shape::Number),
    must("OperatingSystemName", Shape::Text),
    must("OperatingSystemVersion", Shape::Text),
]);

const ADDED: Shape = Shape::Object(&[
    must("AmiSource", SOURCE),
    must("UsageInstructions", Shape::Text),
    must("RecommendedInstanceType", Shape::Text),
    must("SecurityGroups", Shape::List(&SECURITY_GROUP)),
    may("AccessEndpointUrl", ENDPOINT),
]);

const ADD: Shape = Shape::Object(&[
    must("Version", Shape::Object(&[must("VersionTitle", Shape::Text), must("ReleaseNotes", Shape::Text)])),
    must(
        "DeliveryOptions",
        Shape::List(&Shape::Object(&[must("Details", Shape::Object(&[must("AmiDeliveryOptionDetails", ADDED)]))])),
    ),
]);

const UPDATED: Shape = Shape::Object(&[
    may("UsageInstructions", Shape::Text),
    may("RecommendedInstanceType", Shape::Text),
    may("SecurityGroups", Shape::List(&SECURITY_GROUP)),
    may("AccessEndpointUrl", ENDPOINT),
]);

const UPDATE: Shape = Shape::Object(&[
    may("Version", Shape::Object(&[may("ReleaseNotes", Shape::Text)])),
    must(
        "DeliveryOptions",
        Shape::List(&Shape::Object(&[
            must("Id", Shape::Text),
            may("Details", Shape::Object(&[may("AmiDeliveryOptionDetails", UPDATED)])),
        ])),
    ),
]);

const RESTRICT: Shape = Shape::Object(&[must("DeliveryOptionIds", Shape::List(&Shape::Text))]);

/// Checks the details of a change of this type; tells what is wrong and where.
pub(super) fn check(kind: &str, details: &Value) -> Result<(), String> {
    let shape = match kind {
        "AddDeliveryOptions" => &ADD,
        "UpdateDeliveryOptions" => &UPDATE,
        "RestrictDeliveryOptions" => &RESTRICT,
        _ => return Err(format!("The change type {kind} is not supported for this entity type")),
    };
    fit(shape, details, "#").map_err(|problem| format!("The details of {kind} are invalid: {problem}"))
}

fn fit(shape: &Shape, value: &Value, place: &str) -> Result<(), String> {
    match (shape, value) {
        (Shape::Text, Value::String(_)) => Ok(()),
        (Shape::Number, Value::Number(number)) if number.is_u64() => Ok(()),
        (Shape::List(_), Value::Array(items)) if items.is_empty() => Err(format!("{place} is empty")),
        (Shape::List(shape), Value::Array(items)) => {
            items.iter().enumerate().try_for_each(|(index, item)| fit(shape, item, &format!("{place}/{index}")))
        }
        (Shape::Object(members), Value::Object(found)) => {
            if let Some(name) = found.keys().find(|name| members.iter().all(|member| member.name != *name)) {
                return Err(format!("{place}: extraneous key [{name}] is not permitted"));
            }
            members.iter().try_for_each(|member| match found.get(member.name) {
                Some(value) => fit(&member.shape, value, &format!("{place}/{}", member.name)),
                None if member.required => Err(format!("{place}: required key [{}] not found", member.name)),
                None => Ok(()),
            })
        }
        _ => Err(format!("{place} has the wrong type")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn what_is_missing_too_much_or_of_another_type_is_named() {
        let problem = |details| check("RestrictDeliveryOptions", &details).unwrap_err();
        assert!(problem(json!({})).contains("required key [DeliveryOptionIds]"));
        assert!(problem(json!({"DeliveryOptionIds": []})).contains("is empty"));
        assert!(problem(json!({"DeliveryOptionIds": [1]})).contains("#/DeliveryOptionIds/0 has the wrong type"));
        assert!(problem(json!({"DeliveryOptionIds": ["a"], "Why": 1})).contains("extraneous key [Why]"));
        assert!(check("RestrictDeliveryOptions", &json!({"DeliveryOptionIds": ["a"]})).is_ok());
    }

    #[test]
    fn a_type_that_is_not_known_is_refused() {
        assert!(check("UpdateTargeting", &json!({})).is_err());
    }
}
