//! Client tokens: the same token with the same parameters is the same request, whatever became of its result.
//!
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>,
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-direct-api-idempotency.html>

use std::collections::BTreeMap;

/// The most characters of a token: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>.
pub(crate) const LONGEST: usize = 64;

/// Whose token, where, and for which operation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenKey {
    /// The account, 12 digits.
    pub(crate) account: String,
    /// The region; the same token in another region is another request.
    pub(crate) region: String,
    /// The operation.
    pub(crate) operation: String,
    /// The token as sent.
    pub(crate) token: String,
}

/// What a token was used for before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Used<'a> {
    /// Nothing.
    Never,
    /// The very same request; this id was its answer.
    Same(&'a str),
    /// Another request.
    Otherwise,
}

/// Every token ever used.
#[derive(Debug, Default)]
pub(crate) struct Tokens(BTreeMap<TokenKey, (String, String)>);

impl Tokens {
    /// Looks a token up. `fingerprint` is everything that was sent besides the token.
    pub(crate) fn look(&self, key: &TokenKey, fingerprint: &str) -> Used<'_> {
        match self.0.get(key) {
            None => Used::Never,
            Some((before, id)) if before == fingerprint => Used::Same(id),
            Some(_) => Used::Otherwise,
        }
    }

    /// Keeps what a token yielded.
    pub(crate) fn keep(&mut self, key: TokenKey, fingerprint: String, id: String) {
        self.0.insert(key, (fingerprint, id));
    }
}
