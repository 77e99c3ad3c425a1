//! What is imported: an object in the caller's region that the caller and the role of imports can read.
//! <https://docs.aws.amazon.com/vm-import/latest/userguide/required-permissions.html>

use crate::aws::call::Call;
use crate::aws::caller::is_denied;
use crate::aws::iam;
use crate::aws::reply::Refused;
use crate::aws::s3::Object;
use crate::aws::settings::Settings;
use crate::aws::world::Shared;

/// The service that assumes the role.
const SERVICE: &str = "vmie.amazonaws.com";

/// The role and the external id that it is assumed with, unless the call names another role.
const ROLE: &str = "vmimport";

/// The disk container of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    pub(super) bucket: String,
    pub(super) key: String,
    /// Upper case.
    pub(super) format: String,
    pub(super) description: String,
    pub(super) encrypted: bool,
}

fn invalid(message: impl Into<String>) -> Refused {
    Refused::bad("InvalidParameter", message)
}

impl Source {
    /// Reads the request.
    pub(super) fn of(call: &Call) -> Result<Self, Refused> {
        let format = call.required("DiskContainer.Format")?.to_ascii_uppercase();
        if !["RAW", "VMDK", "VHD"].contains(&format.as_str()) {
            return Err(invalid(format!("The disk image format {format} is not supported: RAW, VMDK or VHD")));
        }
        let (bucket, key) = match call.param("DiskContainer.Url") {
            None => {
                (call.required("DiskContainer.UserBucket.S3Bucket")?, call.required("DiskContainer.UserBucket.S3Key")?)
            }
            Some(url) => url
                .strip_prefix("s3://")
                .and_then(|place| place.split_once('/'))
                .filter(|_| call.param("DiskContainer.UserBucket.S3Bucket").is_none())
                .ok_or_else(|| invalid("Give either a URL of the form s3://bucket/key or a user bucket"))?,
        };
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            format,
            description: call.param("DiskContainer.Description").unwrap_or_default().to_owned(),
            encrypted: call.param("Encrypted") == Some("true"),
        })
    }

    /// The object, if everybody concerned can read it.
    pub(super) fn find(&self, shared: &Shared, call: &Call) -> Result<Object, Refused> {
        let settings = shared.settings();
        self.check_role(&settings, call)?;
        let no_access =
            || invalid(format!("User does not have access to the S3 object.({}/{})", self.bucket, self.key));
        if is_denied(shared, call, "s3:GetObject") {
            return Err(no_access());
        }
        let world = shared.state();
        let bucket = world.s3.any_bucket(&self.bucket).filter(|bucket| bucket.account == call.caller.account);
        let bucket = bucket.ok_or_else(no_access)?;
        if bucket.region != call.region {
            return Err(invalid("The given S3 object is not local to the region."));
        }
        bucket.objects.get(&self.key).cloned().ok_or_else(no_access)
    }

    fn check_role(&self, settings: &Settings, call: &Call) -> Result<(), Refused> {
        let name = call.param("RoleName").unwrap_or(ROLE);
        let why = "provided does not exist or does not have sufficient permissions";
        let refusal = || invalid(format!("The service role {name} {why}"));
        let role = settings.accounts.get(&call.caller.account).and_then(|account| account.roles.get(name));
        let role = role.ok_or_else(refusal)?;
        let is_trusted = role.trusts.iter().any(|trusted| trusted == SERVICE);
        let knows = role.external_id.as_deref().is_none_or(|id| id == ROLE);
        let bucket = format!("arn:{}:s3:::{}", settings.partition(&call.caller.account), self.bucket);
        let object = format!("{bucket}/{}", self.key);
        let needed = [("s3:GetBucketLocation", &bucket), ("s3:ListBucket", &bucket), ("s3:GetObject", &object)];
        let may = needed.iter().all(|(action, resource)| iam::allows(role, action, resource));
        if is_trusted && knows && may { Ok(()) } else { Err(refusal()) }
    }
}
