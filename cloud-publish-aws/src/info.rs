//! What this target is: its account, its partition, its regions.

use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::Place;
use cloud_publish_core::manifest::ProviderConfig as _;
use cloud_publish_core::names::{Account, Provider, Rendition};
use cloud_publish_core::publisher::{Context, TargetInfo};
use tokio::sync::OnceCell;

use crate::capability::capability;
use crate::config::AwsConfig;
use crate::error::classify;
use crate::publisher::Aws;
use crate::regions::{AccountRegion, enable};

/// Who and where we are, once asked.
#[derive(Clone, Debug)]
pub(crate) struct Whereabouts {
    pub(crate) place: Place,
    /// `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`.
    pub(crate) partition: String,
    /// The partition's regions, once asked: [`Aws::account_regions`].
    pub(crate) regions: OnceCell<Vec<AccountRegion>>,
}

impl Aws {
    /// Asks the home region's STS, once, who the credentials are.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`]; [`Kind::InvalidInput`] when it is not the account that the configuration names.
    pub(crate) async fn whereabouts(&self, context: &Context) -> Result<&Whereabouts> {
        self.whereabouts.get_or_try_init(|| self.ask(context)).await
    }

    async fn ask(&self, context: &Context) -> Result<Whereabouts> {
        let clients = self.clients.region(self.home()).await;
        let answer = context.or_cancelled(clients.sts.get_caller_identity().send()).await?;
        let answer = answer.map_err(|error| {
            let error = classify(&error, "GetCallerIdentity").with("region", self.home());
            if error.kind() == Kind::Unauthenticated { error.hint(sign_in(self)) } else { error }
        })?;
        let found = read(&answer)?;
        self.as_expected(&answer, &found)?;
        tracing::debug!(account = %found.place.account, partition = %found.partition, "signed in");
        Ok(found)
    }

    /// A daily's credentials must not publish into the account of releases.
    fn as_expected(&self, answer: &GetCallerIdentityOutput, found: &Whereabouts) -> Result<()> {
        let account = found.place.account.as_str();
        let Some(wanted) = self.config().account.as_deref().filter(|wanted| *wanted != account) else { return Ok(()) };
        let message = format!("the credentials are of account {account}, publish.toml names {wanted}");
        Err(Error::new(Kind::InvalidInput, message)
            .with("target", &self.settings.target)
            .with("identity", answer.arn().unwrap_or("unknown"))
            .hint("use credentials of the account named, or set `account`, `profile` or `roles` of the target right"))
    }
}

/// A region that is not enabled knows no credentials either.
fn sign_in(target: &Aws) -> String {
    format!(
        "check who you are with `aws sts get-caller-identity --region {home}`; sign in, set `profile` or `roles`, or, if \
         {home} is a region that must be enabled first, `{}`",
        enable(target.home()),
        home = target.home(),
    )
}

fn read(answer: &GetCallerIdentityOutput) -> Result<Whereabouts> {
    let unreadable = || Error::new(Kind::Unexpected, "AWS does not say who the credentials are");
    let account = answer.account().ok_or_else(unreadable)?;
    let arn = answer.arn().ok_or_else(unreadable)?;
    let partition = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').next()).ok_or_else(unreadable)?;
    let place = Place { provider: Provider::new(AwsConfig::PROVIDER)?, account: Account::new(account)? };
    Ok(Whereabouts { place, partition: partition.to_owned(), regions: OnceCell::new() })
}

pub(crate) async fn info(target: &Aws, context: &Context) -> Result<TargetInfo> {
    let whereabouts = target.whereabouts(context).await?;
    let choice = target.choice(context).await?;
    let account = &whereabouts.place.account;
    let skipped = choice.skipped.into_iter().map(|region| {
        let reason = format!("it is not enabled for account {account}; enable it with `{}`", enable(&region));
        (region, reason)
    });
    Ok(TargetInfo {
        target: target.settings.target.clone(),
        place: whereabouts.place.clone(),
        home: target.home().clone(),
        regions: choice.wanted,
        skipped: skipped.collect(),
        renditions: vec![Rendition::new("as-is")?],
        capability: capability(),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;

    use super::read;
    use crate::publisher::{Aws, AwsSettings};
    use crate::testing::{config, settings};

    fn answer(partition: &str) -> GetCallerIdentityOutput {
        let arn = format!("arn:{partition}:sts::111111111111:assumed-role/publisher/cloud-publish");
        GetCallerIdentityOutput::builder().account("111111111111").arn(arn).build()
    }

    #[test]
    fn the_identity_shows_account_and_partition() {
        let found = read(&answer("aws-cn")).unwrap();
        assert_eq!((found.place.to_string().as_str(), found.partition.as_str()), ("aws:111111111111", "aws-cn"));
    }

    #[test]
    fn another_account_than_the_configured_one_is_refused_naming_both() {
        let mut config = config();
        config.account = Some("222222222222".to_owned());
        let target = Aws::new(AwsSettings { config, ..settings() });
        let refused = target.as_expected(&answer("aws"), &read(&answer("aws")).unwrap()).unwrap_err();
        assert!(refused.to_string().contains("111111111111, publish.toml names 222222222222"), "{refused}");
    }
}
