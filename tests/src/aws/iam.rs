//! Roles and their policies. Roles come from the settings; nothing here changes them.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::call::Call;
use super::reply::{Outcome, Refused, Reply};
use super::settings::Role;
use super::world::Shared;
use super::xml::Xml;
use crate::fake::glob;

/// Answers a call.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    let known = ["GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies"];
    if !known.contains(&call.operation.as_str()) {
        return Err(Refused::unknown_operation(call));
    }
    let settings = shared.settings();
    let name = call.required("RoleName")?;
    let role = settings.accounts.get(&call.caller.account).and_then(|account| account.roles.get(name));
    let role = role.ok_or_else(|| missing(format!("The role with name {name} cannot be found.")))?;
    let mut xml = Xml::new();
    match call.operation.as_str() {
        "GetRole" => {
            let partition = settings.partition(&call.caller.account);
            xml.node("Role", |xml| describe(xml, role, name, (partition, &call.caller.account)));
        }
        "ListRolePolicies" => {
            xml.node("PolicyNames", |xml| {
                role.policies.keys().for_each(|policy| {
                    xml.text("member", policy);
                });
            });
            xml.text("IsTruncated", false);
        }
        "GetRolePolicy" => {
            let wanted = call.required("PolicyName")?;
            let policy = role.policies.get(wanted);
            let policy =
                policy.ok_or_else(|| missing(format!("The role policy with name {wanted} cannot be found.")))?;
            xml.text("RoleName", name).text("PolicyName", wanted).text("PolicyDocument", encoded(policy));
        }
        // Policies are inline here: a role of the settings has nothing attached.
        _ => {
            xml.node("AttachedPolicies", |_| {}).text("IsTruncated", false);
        }
    }
    Ok(Reply::query(call, &xml))
}

/// Tells whether the inline policies of a role permit an action (`s3:GetObject`) on a resource (an ARN).
pub(crate) fn allows(role: &Role, action: &str, resource: &str) -> bool {
    let statements = || role.policies.values().flat_map(|policy| each(&policy["Statement"]));
    let fits = |statement: &Value| {
        let action = action.to_ascii_lowercase();
        let is_action =
            |pattern: &Value| pattern.as_str().is_some_and(|pattern| glob(&pattern.to_ascii_lowercase(), &action));
        let is_resource = |pattern: &Value| pattern.as_str().is_some_and(|pattern| glob(pattern, resource));
        each(&statement["Action"]).iter().any(is_action) && each(&statement["Resource"]).iter().any(is_resource)
    };
    let has = |effect: &str| statements().any(|statement| statement["Effect"] == effect && fits(&statement));
    has("Allow") && !has("Deny")
}

/// A policy has one of something, or a list.
fn each(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn describe(xml: &mut Xml, role: &Role, name: &str, (partition, account): (&str, &str)) {
    xml.text("Path", "/").text("RoleName", name).text("RoleId", format!("AROA{account}{}", name.to_uppercase()));
    xml.text("Arn", format!("arn:{partition}:iam::{account}:role/{name}")).text("CreateDate", "2024-01-01T00:00:00Z");
    xml.text("AssumeRolePolicyDocument", encoded(&trust(role, (partition, account))));
    xml.text("MaxSessionDuration", role.max_session_seconds.max(3600));
}

/// Who may assume it, as a policy.
fn trust(role: &Role, (partition, account): (&str, &str)) -> Value {
    let condition = role.external_id.as_ref().map(|id| json!({"StringEquals": {"sts:Externalid": id}}));
    let statement = |action: &str, principal: Value| {
        let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": action});
        if let Some(condition) = &condition {
            statement["Condition"] = condition.clone();
        }
        statement
    };
    let assumed = role.trusts.iter().map(|trusted| {
        let principal = if trusted.ends_with(".amazonaws.com") {
            json!({"Service": trusted})
        } else if trusted.len() == 12 {
            json!({"AWS": format!("arn:{partition}:iam::{trusted}:root")})
        } else {
            json!({"AWS": trusted})
        };
        statement("sts:AssumeRole", principal)
    });
    let federated = role.web_identity.iter().map(|issuer| {
        let provider = format!("arn:{partition}:iam::{account}:oidc-provider/{issuer}");
        statement("sts:AssumeRoleWithWebIdentity", json!({"Federated": provider}))
    });
    json!({"Version": "2012-10-17", "Statement": assumed.chain(federated).collect::<Vec<_>>()})
}

/// IAM answers with policies percent-encoded.
fn encoded(policy: &Value) -> String {
    utf8_percent_encode(&policy.to_string(), NON_ALPHANUMERIC).to_string()
}

fn missing(message: String) -> Refused {
    Refused::new(404, "NoSuchEntity", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Role, allows};

    fn role(statement: serde_json::Value) -> Role {
        Role { policies: [("p".to_owned(), json!({"Statement": statement}))].into(), ..Role::default() }
    }

    #[test]
    fn a_role_may_do_only_what_a_statement_allows() {
        let role = role(json!({"Effect": "Allow", "Action": ["s3:Get*"], "Resource": "arn:aws:s3:::images/*"}));
        assert!(allows(&role, "s3:GetObject", "arn:aws:s3:::images/a"));
        assert!(!allows(&role, "s3:PutObject", "arn:aws:s3:::images/a"));
        assert!(!allows(&role, "s3:GetObject", "arn:aws:s3:::other/a"));
    }

    #[test]
    fn a_denial_outweighs() {
        let all = |effect: &str| json!({"Effect": effect, "Action": "*", "Resource": "*"});
        assert!(!allows(&role(json!([all("Allow"), all("Deny")])), "s3:GetObject", "arn:aws:s3:::images/a"));
    }
}
