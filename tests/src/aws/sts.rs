//! Identities and assumed roles: <https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html>.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::call::{Call, Caller};
use super::query;
use super::reply::{Outcome, Refused, Reply};
use super::settings::Role;
use super::world::Shared;
use super::xml::Xml;

/// The shortest session, in seconds.
const SHORTEST: u32 = 900;

/// The longest session of a role that a role assumed, in seconds.
const CHAINED: u32 = 3600;

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By access key.
    sessions: BTreeMap<String, Session>,
}

/// An assumed role.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) caller: Caller,
    pub(crate) token: String,
    pub(crate) expires: Timestamp,
}

impl State {
    /// The session of an access key.
    pub(crate) fn session(&self, access_key: &str) -> Option<&Session> {
        self.sessions.get(access_key)
    }
}

/// Answers a call.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(caller_identity(call)),
        "AssumeRole" => assume_role(shared, call),
        "AssumeRoleWithWebIdentity" => assume_role_with_web_identity(shared, call),
        _ => Err(Refused::unknown_operation(call)),
    }
}

fn caller_identity(call: &Call) -> Reply {
    let caller = &call.caller;
    let session = caller.role.as_ref().and_then(|_| caller.arn.rsplit('/').next());
    let user = session.map_or_else(|| format!("AIDA{}", caller.account), |name| format!("{}:{name}", role_id(caller)));
    let mut xml = Xml::new();
    xml.text("Arn", &caller.arn).text("UserId", user).text("Account", &caller.account);
    Reply::query(call, &xml)
}

/// Who wants to become whom.
struct Wanted<'c> {
    arn: &'c str,
    account: &'c str,
    /// With its path taken off.
    name: &'c str,
    session: &'c str,
    seconds: u32,
}

impl<'c> Wanted<'c> {
    fn read(call: &'c Call) -> Result<Self, Refused> {
        let arn = call.required("RoleArn").map_err(invalid)?;
        let session = call.required("RoleSessionName").map_err(invalid)?;
        let seconds = query::parsed(&call.params, "DurationSeconds").map_err(invalid)?.unwrap_or(3600);
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "iam", "", account, resource] = parts[..] else {
            return Err(Refused::bad("ValidationError", format!("{arn} is invalid")));
        };
        let name = resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next());
        let name = name.ok_or_else(|| Refused::bad("ValidationError", format!("{arn} is invalid")))?;
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
        if !(2..=64).contains(&session.len()) || !session.chars().all(is_word) {
            let message = format!("Value '{session}' at 'roleSessionName' failed to satisfy constraint");
            return Err(Refused::bad("ValidationError", message));
        }
        Ok(Self { arn, account, name, session, seconds })
    }

    fn check_duration(&self, role: &Role, chained: bool) -> Result<(), Refused> {
        if chained && self.seconds > CHAINED {
            let message =
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
            return Err(Refused::bad("ValidationError", message));
        }
        if !(SHORTEST..=role.max_session_seconds.max(CHAINED)).contains(&self.seconds) {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(Refused::bad("ValidationError", message));
        }
        Ok(())
    }
}

fn assume_role(shared: &Shared, call: &Call) -> Outcome {
    let wanted = Wanted::read(call)?;
    let settings = shared.settings();
    let caller = &call.caller;
    let refused = || {
        let message =
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {}", caller.arn, wanted.arn);
        Refused::new(403, "AccessDenied", message)
    };
    let role = settings.accounts.get(wanted.account).and_then(|account| account.roles.get(wanted.name));
    let role = role.ok_or_else(refused)?;
    let same_partition = wanted.arn.split(':').nth(1) == Some(settings.partition(&caller.account))
        && settings.partition(wanted.account) == settings.partition(&caller.account);
    let knows_secret = role.external_id.is_none() || role.external_id.as_deref() == call.param("ExternalId");
    if !same_partition || !knows_secret || !role.trusts.iter().any(|trusted| is_trusted(trusted, caller)) {
        return Err(refused());
    }
    wanted.check_duration(role, caller.role.is_some())?;
    Ok(Reply::query(call, &open(shared, call, &wanted)))
}

/// Whether a caller is this account, role or anybody.
fn is_trusted(trusted: &str, caller: &Caller) -> bool {
    let role = || caller.role.as_deref().is_some_and(|role| trusted.ends_with(&format!(":role/{role}")));
    trusted == "*" || trusted == caller.account || (trusted.contains(&format!("::{}:", caller.account)) && role())
}

fn assume_role_with_web_identity(shared: &Shared, call: &Call) -> Outcome {
    let wanted = Wanted::read(call)?;
    let claims = claims(call.required("WebIdentityToken").map_err(invalid)?)?;
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if claims.get("exp").and_then(Value::as_i64).is_some_and(|expires| expires <= call.now.as_second()) {
        return Err(Refused::bad("ExpiredTokenException", "Token expired"));
    }
    let issuer = claim("iss").trim_start_matches("https://");
    let settings = shared.settings();
    let account = settings.accounts.get(wanted.account);
    let known = account.is_some_and(|account| {
        account.roles.values().any(|role| role.web_identity.iter().any(|known| known == issuer))
    });
    if !known {
        let message = format!("No OpenIDConnect provider found in your account for https://{issuer}");
        return Err(Refused::bad("InvalidIdentityToken", message));
    }
    let role = account.and_then(|account| account.roles.get(wanted.name));
    let role = role
        .filter(|role| role.web_identity.iter().any(|trusted| trusted == issuer))
        .ok_or_else(|| Refused::new(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"))?;
    wanted.check_duration(role, false)?;
    let mut xml = open(shared, call, &wanted);
    xml.text("SubjectFromWebIdentityToken", claim("sub")).text("Audience", claim("aud")).text("Provider", issuer);
    Ok(Reply::query(call, &xml))
}

/// What a JSON web token claims; its signature is not looked at.
fn claims(token: &str) -> Result<Value, Refused> {
    let parts: Vec<&str> = token.split('.').collect();
    let payload = if let [_, payload, _] = parts[..] { BASE64URL.decode(payload).ok() } else { None };
    payload.and_then(|payload| serde_json::from_slice(&payload).ok()).ok_or_else(|| {
        let message = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
        Refused::bad("InvalidIdentityToken", message)
    })
}

/// Opens a session and writes its credentials.
fn open(shared: &Shared, call: &Call, wanted: &Wanted<'_>) -> Xml {
    let partition = shared.settings().partition(wanted.account).to_owned();
    let access_key = format!("ASIA{}{:06}", wanted.account, call.seq);
    let arn = format!("arn:{partition}:sts::{}:assumed-role/{}/{}", wanted.account, wanted.name, wanted.session);
    let caller = Caller {
        account: wanted.account.to_owned(),
        arn,
        access_key: access_key.clone(),
        role: Some(wanted.name.to_owned()),
    };
    let expires = call.now + SignedDuration::from_secs(i64::from(wanted.seconds));
    let token = format!("token-of-{access_key}");
    let mut xml = Xml::new();
    xml.node("Credentials", |xml| {
        xml.text("AccessKeyId", &access_key).text("SecretAccessKey", format!("secret-of-{access_key}"));
        xml.text("SessionToken", &token).text("Expiration", expires.strftime("%Y-%m-%dT%H:%M:%SZ"));
    });
    xml.node("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", format!("{}:{}", role_id(&caller), wanted.session)).text("Arn", &caller.arn);
    });
    shared.state().sts.sessions.insert(access_key, Session { caller, token, expires });
    xml
}

fn role_id(caller: &Caller) -> String {
    format!("AROA{}{}", caller.account, caller.role.as_deref().unwrap_or_default().to_uppercase())
}

/// STS names what EC2 calls a missing parameter otherwise.
fn invalid(refused: Refused) -> Refused {
    Refused { code: "ValidationError".to_owned(), ..refused }
}
