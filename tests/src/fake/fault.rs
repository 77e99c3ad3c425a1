//! Faults by rule: which request is hurt, and how.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::text::glob;

/// Which requests are hurt, and how. The first rule that strikes counts; a rule counts every request that it fits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A service by its name; absent: every one.
    #[serde(default)]
    pub service: Option<String>,
    /// A name or a pattern with `*`; absent: every operation.
    #[serde(default)]
    pub operation: Option<String>,
    /// Absent: every region.
    #[serde(default)]
    pub region: Option<String>,
    /// An account, or a project by its name; absent: every one.
    #[serde(default)]
    pub account: Option<String>,
    /// Only the n-th request that fits, from 1.
    #[serde(default)]
    pub nth: Option<u64>,
    /// So many of all that fit: 0.1 is every tenth on average. The same seed strikes the same numbers.
    #[serde(default)]
    pub rate: Option<f64>,
    /// Of `rate`.
    #[serde(default)]
    pub seed: u64,
    /// Spares the first so many that fit.
    #[serde(default)]
    pub after: u64,
    /// Strikes at most so many times.
    #[serde(default)]
    pub times: Option<u64>,
    /// What happens.
    pub what: What,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Refused as the service refuses too many requests.
    Throttle,
    /// Answered 500, without effect.
    Error500,
    /// Answered 503, without effect.
    Error503,
    /// The connection ends, without effect.
    Reset,
    /// The request takes effect, then the connection ends without an answer.
    Lost,
    /// No effect and no answer for so many milliseconds, then the connection ends.
    Hang(u64),
    /// The request takes effect, and nothing is answered for so many milliseconds; then the connection ends.
    Stall(u64),
    /// Takes effect and is answered, so many milliseconds late.
    Slow(u64),
    /// Refused with this, without effect.
    Refuse {
        /// The status.
        status: u16,
        /// The service's code.
        code: String,
    },
}

impl What {
    /// As the log calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Throttle => "throttle",
            Self::Error500 => "error500",
            Self::Error503 => "error503",
            Self::Reset => "reset",
            Self::Lost => "lost",
            Self::Hang(_) => "hang",
            Self::Stall(_) => "stall",
            Self::Slow(_) => "slow",
            Self::Refuse { .. } => "refuse",
        }
    }
}

/// What rules know about a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'r> {
    pub(crate) service: &'r str,
    pub(crate) operation: &'r str,
    pub(crate) region: &'r str,
    pub(crate) account: &'r str,
}

/// The rules and how often each has been met.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Counted>>);

#[derive(Debug)]
struct Counted {
    rule: Rule,
    fitted: u64,
    struck: u64,
}

impl Faults {
    /// Replaces all rules and their counters.
    pub(crate) fn set(&self, rules: Vec<Rule>) {
        let counted = rules.into_iter().map(|rule| Counted { rule, fitted: 0, struck: 0 });
        *self.0.lock().expect("no test panics here") = counted.collect();
    }

    /// What happens to this request.
    pub(crate) fn strike(&self, subject: Subject<'_>) -> Option<What> {
        let mut rules = self.0.lock().expect("no test panics here");
        let mut struck = None;
        for counted in rules.iter_mut().filter(|counted| counted.rule.fits(subject)) {
            counted.fitted += 1;
            if struck.is_none() && counted.rule.strikes(counted.fitted, counted.struck) {
                counted.struck += 1;
                struck = Some(counted.rule.what.clone());
            }
        }
        struck
    }
}

impl Rule {
    fn fits(&self, subject: Subject<'_>) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        is(&self.service, subject.service)
            && self.operation.as_ref().is_none_or(|pattern| glob(pattern, subject.operation))
            && is(&self.region, subject.region)
            && is(&self.account, subject.account)
    }

    /// `number` counts the requests that fit, from 1, this one included.
    fn strikes(&self, number: u64, struck: u64) -> bool {
        number > self.after
            && self.times.is_none_or(|times| struck < times)
            && self.nth.is_none_or(|nth| nth == number)
            && self.rate.is_none_or(|rate| share(self.seed, number) < rate)
    }
}

/// A number in 0..1 that depends only on the two, evenly spread (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>).
fn share(seed: u64, number: u64) -> f64 {
    let mut mixed = seed.wrapping_mul(0x2545_F491_4F6C_DD1D).wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    f64::from((mixed >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::{Rule, share};

    fn rule(json: serde_json::Value) -> Rule {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_rate_strikes_about_as_often_as_it_says() {
        let struck = (1..=10_000).filter(|&number| share(7, number) < 0.1).count();
        assert!((900..1100).contains(&struck), "{struck}");
    }

    #[test]
    fn two_seeds_strike_different_requests() {
        let strikes = |seed| (1..=100).filter(|&number| share(seed, number) < 0.1).collect::<Vec<u64>>();
        assert_ne!(strikes(1), strikes(2));
    }

    #[test]
    fn a_rule_spares_strikes_and_stops_as_told() {
        let rule = rule(serde_json::json!({"after": 2, "times": 1, "what": "throttle"}));
        assert!(!rule.strikes(2, 0));
        assert!(rule.strikes(3, 0));
        assert!(!rule.strikes(4, 1));
    }

    #[test]
    fn the_nth_is_the_only_one() {
        let rule = rule(serde_json::json!({"nth": 3, "what": {"hang": 10}}));
        assert_eq!((1..=5).filter(|&number| rule.strikes(number, 0)).collect::<Vec<u64>>(), [3]);
    }
}
