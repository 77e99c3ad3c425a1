//! A fake AWS with the accounts, roles, regions, buckets and products that the configuration names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use cloud_publish_aws::{AwsConfig, MarketplaceListing};
use cloud_publish_core::manifest::{Regions, TargetConfig};
use rustix::process::Pid;

use super::stage::{Room, Stage};
use crate::aws::{ACCOUNT, Account, FakeAws, MarketplaceProduct, OptIn, REGION, Region, Role, Settings};

/// Whoever starts from nothing but credentials and assumes roles: nobody's publisher.
const OUTSIDE: &str = "999999999999";

/// Room for a distribution; AWS gives 5 unless it is asked for more.
const PUBLIC_IMAGES: u64 = 1000;

/// What the roles that a configuration names are like.
const IMPORT_ROLE: &str = "vmimport";
const MARKETPLACE_ROLE: &str = "AwsMarketplaceAmiIngestion";

#[derive(Debug)]
pub(super) struct Aws {
    fake: FakeAws,
    plan: Plan,
    files: [PathBuf; 2],
}

/// What the configuration needs.
#[derive(Debug)]
struct Plan {
    settings: Settings,
    /// The account of the credentials, and the region that is nobody's in particular.
    base: (String, String),
    /// Accounts by the names of profiles; `default` is the base.
    profiles: BTreeMap<String, String>,
    /// Whether the credentials are in variables too. An AWS client prefers those to a profile, and a state in a bucket
    /// knows no profiles.
    variables: bool,
}

/// Starts it.
pub(super) fn start(room: &Room<'_>) -> Result<Aws, String> {
    let mut targets = Vec::new();
    for target in room.targets("aws") {
        let own: AwsConfig = target.own().map_err(|error| error.to_string())?;
        targets.push((target, own));
    }
    let plan = Plan::of(&targets, room.state_bucket())?;
    let config = room.scratch.write("aws-config", &plan.profiles_file("profile "))?;
    let credentials = room.scratch.write("aws-credentials", &plan.profiles_file(""))?;
    let fake = FakeAws::start_with_tls(plan.settings.clone(), room.ca).for_foreign_clients();
    Ok(Aws { fake, plan, files: [config, credentials] })
}

impl Plan {
    fn of(targets: &[(&TargetConfig, AwsConfig)], bucket: Option<&str>) -> Result<Self, String> {
        let settings = Settings { page_size: 100, ..Settings::default() };
        let base = base(targets);
        let profiles = BTreeMap::from([("default".to_owned(), base.0.clone())]);
        let variables = bucket.is_some() || targets.iter().all(|(_, own)| own.profile.is_none());
        let mut plan = Self { settings, base, profiles, variables };
        plan.settings.quotas.public_images = PUBLIC_IMAGES;
        plan.settings.regions.values_mut().for_each(|region| region.opt_in = OptIn::OptInNotRequired);
        let (account, region) = plan.base.clone();
        plan.account(&account, &region);
        for (target, own) in targets {
            plan.regions(target, own);
            let start = match &own.profile {
                None => account.clone(),
                Some(profile) => {
                    let account = if own.roles.is_empty() { own.account.clone() } else { None };
                    let account = account.unwrap_or_else(|| ACCOUNT.to_owned());
                    plan.account(&account, own.home_region.as_str());
                    plan.profiles.entry(profile.clone()).or_insert(account).clone()
                }
            };
            let last = plan.roles(own, start)?;
            plan.imports(own, &last);
            for listing in own.marketplace.values() {
                plan.product(listing, &last)?;
            }
        }
        if let Some(bucket) = bucket {
            plan.settings.s3.buckets.insert(bucket.to_owned(), plan.base.clone());
        }
        Ok(plan)
    }

    /// Makes an account, in the partition of a region.
    fn account(&mut self, account: &str, region: &str) -> &mut Account {
        let usual = self.settings.accounts.get(ACCOUNT).map(|known| known.roles.clone()).unwrap_or_default();
        let partition = partition(region).to_owned();
        let made = || Account { partition: partition.clone(), roles: usual, ..Account::default() };
        let account = self.settings.accounts.entry(account.to_owned()).or_insert_with(made);
        account.partition = partition;
        account
    }

    /// Makes every region that a target names.
    fn regions(&mut self, target: &TargetConfig, own: &AwsConfig) {
        let named = match &target.regions {
            Some(Regions::These(regions)) => regions.as_slice(),
            _ => &[],
        };
        for region in named.iter().chain(&target.best_effort).chain(&target.deny).chain([&own.home_region]) {
            let made = Region { partition: partition(region.as_str()).to_owned(), ..Region::default() };
            self.settings.regions.entry(region.to_string()).or_insert(made);
        }
    }

    /// Makes the roles of a target, one after the other; tells the account in which that ends.
    fn roles(&mut self, own: &AwsConfig, start: String) -> Result<String, String> {
        let mut last = start;
        for arn in &own.roles {
            last = self.role(own, arn)?;
        }
        for arn in own.region_roles.values().flatten() {
            self.role(own, arn)?;
        }
        Ok(last)
    }

    fn role(&mut self, own: &AwsConfig, arn: &str) -> Result<String, String> {
        let (account, name) = read_role(arn)?;
        let role = Role { trusts: vec!["*".to_owned()], external_id: own.external_id.clone(), ..Role::default() };
        self.account(&account, own.home_region.as_str()).roles.insert(name, role);
        Ok(account)
    }

    /// Makes the bucket and the role of imports.
    fn imports(&mut self, own: &AwsConfig, account: &str) {
        let Some(import) = &own.import else { return };
        let place = (account.to_owned(), own.home_region.to_string());
        self.settings.s3.buckets.insert(import.bucket.clone(), place);
        self.like(account, own.home_region.as_str(), IMPORT_ROLE, &import.role);
    }

    /// Makes a role that is like one that every account has.
    fn like(&mut self, account: &str, region: &str, usual: &str, name: &str) {
        let roles = &mut self.account(account, region).roles;
        if let Some(role) = roles.get(usual).cloned() {
            roles.entry(name.to_owned()).or_insert(role);
        }
    }

    /// Makes the product of a listing.
    fn product(&mut self, listing: &MarketplaceListing, account: &str) -> Result<(), String> {
        let (whose, role) = read_role(&listing.access_role)?;
        self.like(&whose, REGION, MARKETPLACE_ROLE, &role);
        let architecture = if listing.arch.as_str() == "arm64" { "arm64" } else { "x86_64" };
        let made = MarketplaceProduct {
            account: account.to_owned(),
            instance_types: vec![listing.instance_type.clone()],
            architecture: architecture.to_owned(),
            ..MarketplaceProduct::default()
        };
        self.settings.marketplace.products.insert(listing.product.clone(), made);
        Ok(())
    }

    /// The configuration file or, without a prefix, the credentials file.
    fn profiles_file(&self, prefix: &str) -> String {
        let mut text = String::new();
        for (name, account) in &self.profiles {
            let head = if name == "default" { name.clone() } else { format!("{prefix}{name}") };
            let key = key(account);
            // Text grows without fail.
            let _ = writeln!(text, "[{head}]\naws_access_key_id = {key}\naws_secret_access_key = any\n");
        }
        text
    }
}

/// Whose credentials are found without a profile, and the region of what has none of its own.
fn base(targets: &[(&TargetConfig, AwsConfig)]) -> (String, String) {
    let region = targets.first().map_or_else(|| REGION.to_owned(), |(_, own)| own.home_region.to_string());
    let mut plain = targets.iter().filter(|(_, own)| own.profile.is_none()).peekable();
    let region = plain.peek().map_or(region, |(_, own)| own.home_region.to_string());
    let by_role = plain.peek().is_some();
    let direct = plain.find(|(_, own)| own.roles.is_empty());
    let account = match direct {
        Some((_, own)) => own.account.clone().unwrap_or_else(|| ACCOUNT.to_owned()),
        None if by_role => OUTSIDE.to_owned(),
        None => ACCOUNT.to_owned(),
    };
    (account, region)
}

/// Account and name of `arn:aws:iam::111111111111:role/publisher`.
fn read_role(arn: &str) -> Result<(String, String), String> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, role] if role.starts_with("role/") => {
            let name = role.rsplit('/').next().unwrap_or_default();
            Ok(((*account).to_owned(), name.to_owned()))
        }
        _ => Err(format!("{arn} is no role: it is written arn:aws:iam::111111111111:role/NAME")),
    }
}

fn partition(region: &str) -> &'static str {
    let prefixes = [("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc")];
    prefixes.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

fn key(account: &str) -> String {
    format!("AKIA{account}SANDBOX")
}

impl Stage for Aws {
    fn describe(&self) -> String {
        let accounts: BTreeSet<&String> = self.plan.profiles.values().chain([&self.plan.base.0]).collect();
        let accounts: Vec<&str> = accounts.into_iter().map(String::as_str).collect();
        let unused = if self.plan.variables && self.plan.profiles.len() > 1 {
            "; the state needs them in variables, so profiles are not looked at"
        } else {
            ""
        };
        format!("a fake AWS at {}, with credentials of {}{unused}", self.fake.url, accounts.join(", "))
    }

    fn environment(&self) -> Vec<(String, String)> {
        let (account, region) = &self.plan.base;
        let [config, credentials] = self.files.each_ref().map(|file| file.display().to_string());
        let keys = [("AWS_ACCESS_KEY_ID", key(account)), ("AWS_SECRET_ACCESS_KEY", "any".to_owned())];
        let others = [
            ("AWS_ENDPOINT_URL", self.fake.url.clone()),
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_CONFIG_FILE", config),
            ("AWS_SHARED_CREDENTIALS_FILE", credentials),
        ];
        let keys = keys.into_iter().filter(|_| self.plan.variables);
        keys.chain(others).map(|(name, value)| (name.to_owned(), value)).collect()
    }
    fn process(&self) -> Option<Pid> {
        None
    }
}
