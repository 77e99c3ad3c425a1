//! A fake AWS for runs of the binary: quick, silent about nothing, and strict about how it was asked. Publishes nothing.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread::panicking;

use serde_json::{Value, json};

use crate::aws::{Entry, FakeAws, REGION, Rule, Settings, Shared};
use crate::judge::{self, Account};

/// Read instead of the files of whoever runs the tests.
const NOWHERE: &str = "/dev/null";

/// The fake. When it ends, every request that it was ever sent must have been as AWS's service models have it.
#[derive(Debug)]
pub struct Cloud {
    fake: FakeAws,
}

impl Cloud {
    /// Starts a world: quick, and otherwise as by default, with some settings replaced as JSON merge patch does.
    ///
    /// # Panics
    /// If there is no such setting.
    pub fn start(patch: Value) -> Self {
        Self { fake: FakeAws::start(quick(patch)) }
    }

    /// Begins anew, with settings like those of [`Self::start`]. Its address stays.
    ///
    /// # Panics
    /// Like [`Self::start`].
    pub fn reset(&self, patch: Value) {
        self.fake.world.reset(quick(patch));
    }

    /// Changes settings from the next request on.
    ///
    /// # Panics
    /// Like [`Self::start`].
    pub fn change(&self, patch: Value) {
        let changed = self.fake.world.settings().merged(patch).expect("settings");
        self.fake.world.set_settings(changed);
    }

    /// Replaces its faults by these rules.
    ///
    /// # Panics
    /// If they are none.
    pub fn hurt(&self, rules: Value) {
        self.fake.world.set_faults(serde_json::from_value::<Vec<Rule>>(rules).expect("rules"));
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.fake.url
    }

    /// Its settings, faults, log and state.
    pub fn world(&self) -> &Shared {
        &self.fake.world
    }

    /// Leads a program there, as an account.
    pub fn lead(&self, command: &mut Command, account: &str) {
        lead(command, &self.fake, account);
    }

    /// The requests since it began anew, but for the judge's.
    pub fn requests(&self) -> Vec<Entry> {
        let requests = self.fake.world.requests();
        requests.into_iter().filter(|entry| !entry.access_key.ends_with(judge::KEY)).collect()
    }

    /// Those of them that could change something.
    pub fn writes(&self) -> Vec<Entry> {
        self.requests().into_iter().filter(|entry| entry.write).collect()
    }

    /// What boto3 finds: see [`judge::holdings`].
    pub fn holdings(&self, accounts: &[&str], regions: &[&str]) -> BTreeMap<String, Account> {
        judge::holdings(self.url(), accounts, regions)
    }

    /// What boto3 finds, without what differs from run to run: see [`judge::comparable`].
    pub fn comparable(&self, accounts: &[&str], regions: &[&str]) -> BTreeMap<String, Account> {
        judge::comparable(self.url(), accounts, regions)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if !panicking() {
            let violations = judge::violations(self.url());
            assert!(violations.is_empty(), "AWS's service models have it otherwise:\n{}", violations.join("\n"));
        }
    }
}

/// Leads a program to a fake, as an account, and keeps it from the credentials of whoever runs the tests.
pub fn lead(command: &mut Command, fake: &FakeAws, account: &str) {
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
        command.env_remove(name);
    }
    command.envs(fake.environment_of(account, REGION));
    command.env("AWS_CONFIG_FILE", NOWHERE).env("AWS_SHARED_CREDENTIALS_FILE", NOWHERE);
}

/// Short delays, so that tests do not wait; none is zero, so that everything is pending for a moment.
fn quick(patch: Value) -> Settings {
    let delays = json!({"delays": {
        "snapshot_completion": 50, "image_available": 50, "copy": 100, "import": 100, "snapshot_visible": 20,
        "image_visible": 20, "block_public_access": 50, "change_set": 100, "parameter_validation": 20,
    }});
    Settings::default().merged(delays).and_then(|settings| settings.merged(patch)).expect("settings")
}
