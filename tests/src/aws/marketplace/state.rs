//! Products and change sets. What a moment shows follows from when they began: nothing runs in between.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::judge::Fault;

/// All products and change sets of all accounts.
#[derive(Debug, Default)]
pub(crate) struct State {
    products: BTreeMap<String, Product>,
    /// In the order of their start.
    pub(super) change_sets: Vec<ChangeSet>,
    /// What a request token was used for, by account: the request, and the change set.
    pub(super) tokens: BTreeMap<(String, String), (Value, String)>,
    made: u64,
}

/// A product. Its last revision may be one that a running change set makes.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) account: String,
    pub(super) title: String,
    pub(super) visibility: String,
    /// From when on it looks like what.
    pub(super) revisions: Vec<(Timestamp, Value)>,
}

/// A change set.
#[derive(Debug)]
pub(super) struct ChangeSet {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) name: Option<String>,
    pub(super) intent: String,
    pub(super) changes: Vec<Change>,
    pub(super) started: Timestamp,
    /// The end of preparing.
    pub(super) prepared: Timestamp,
    /// The end of applying; where nothing is applied, that of preparing.
    pub(super) applied: Timestamp,
    pub(super) cancelled: Option<Timestamp>,
}

/// One change as it was asked for, and what is wrong with it.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) kind: String,
    /// The product, without a revision.
    pub(super) product: String,
    pub(super) name: Option<String>,
    pub(super) details: Value,
    pub(super) faults: Vec<Fault>,
}

impl State {
    /// An id that nothing else has.
    pub(super) fn next(&mut self) -> String {
        self.made += 1;
        Uuid::from_u128((0xcafe << 112) | u128::from(self.made)).to_string()
    }

    pub(super) fn insert(&mut self, id: &str, product: Product) {
        self.products.insert(id.to_owned(), product);
    }

    pub(super) fn products(&self, account: &str) -> impl Iterator<Item = (&String, &Product)> {
        self.products.iter().filter(move |(_, product)| product.account == account)
    }

    pub(super) fn product(&self, account: &str, id: &str) -> Option<&Product> {
        self.products.get(id).filter(|product| product.account == account)
    }

    pub(super) fn product_mut(&mut self, id: &str) -> Option<&mut Product> {
        self.products.get_mut(id)
    }

    pub(super) fn change_set(&self, account: &str, id: &str) -> Option<&ChangeSet> {
        self.change_sets.iter().find(|set| set.account == account && set.id == id)
    }

    /// The change set that locks a product just now.
    pub(super) fn lock_of(&self, product: &str, now: Timestamp) -> Option<&ChangeSet> {
        let concerns = |set: &ChangeSet| set.changes.iter().any(|change| change.product == product);
        self.change_sets.iter().find(|set| set.is_active(now) && concerns(set))
    }

    /// To be read by tests and people.
    pub(crate) fn dump(&self, now: Timestamp) -> Value {
        let product = |product: &Product| json!({"account": product.account, "details": product.at(now).1});
        let set = |set: &ChangeSet| {
            let changes = set.changes.iter().map(|change| {
                let Change { kind, product, details, faults, .. } = change;
                json!({"type": kind, "product": product, "details": details, "faults": faults})
            });
            let changes: Vec<Value> = changes.collect();
            json!({
                "id": set.id, "account": set.account, "name": set.name, "intent": set.intent,
                "status": set.status(now), "changes": changes,
            })
        };
        let products: serde_json::Map<_, _> = self.products.iter().map(|(id, it)| (id.clone(), product(it))).collect();
        json!({"products": products, "change_sets": self.change_sets.iter().map(set).collect::<Vec<_>>()})
    }
}

impl Product {
    /// Number and look of the revision that shows at a moment.
    pub(super) fn at(&self, now: Timestamp) -> (usize, &Value) {
        let shown = self.revisions.iter().take_while(|(from, _)| *from <= now).count().max(1);
        (shown, &self.revisions[shown - 1].1)
    }

    /// When it was changed last.
    pub(super) fn modified(&self, now: Timestamp) -> Timestamp {
        self.revisions[self.at(now).0 - 1].0
    }
}

impl ChangeSet {
    fn fails(&self) -> bool {
        self.changes.iter().any(|change| !change.faults.is_empty())
    }

    /// `PREPARING`, `APPLYING`, `SUCCEEDED`, `CANCELLED` or `FAILED`.
    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        if self.cancelled.is_some() {
            "CANCELLED"
        } else if now < self.prepared {
            "PREPARING"
        } else if self.fails() {
            "FAILED"
        } else if now < self.applied {
            "APPLYING"
        } else {
            "SUCCEEDED"
        }
    }

    /// Whether it still locks its products.
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        matches!(self.status(now), "PREPARING" | "APPLYING")
    }

    /// When it ended, if it has.
    pub(super) fn ended(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.cancelled.unwrap_or(if self.fails() { self.prepared } else { self.applied });
        (!self.is_active(now)).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::{Change, ChangeSet, Fault, Product};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn set(faults: Vec<Fault>) -> ChangeSet {
        let change = Change { kind: String::new(), product: String::new(), name: None, details: Value::Null, faults };
        ChangeSet {
            id: String::new(),
            account: String::new(),
            name: None,
            intent: "APPLY".to_owned(),
            changes: vec![change],
            started: at(0),
            prepared: at(10),
            applied: at(20),
            cancelled: None,
        }
    }

    #[test]
    fn a_change_set_is_prepared_then_applied() {
        let set = set(Vec::new());
        assert_eq!(
            [0, 9, 10, 19, 20].map(|second| set.status(at(second))),
            ["PREPARING", "PREPARING", "APPLYING", "APPLYING", "SUCCEEDED"]
        );
        assert_eq!((set.ended(at(19)), set.ended(at(99))), (None, Some(at(20))));
    }

    #[test]
    fn what_is_wrong_shows_when_it_is_prepared() {
        let set = set(vec![Fault::new("DUPLICATE_VERSION_TITLE", "no")]);
        assert_eq!([9, 10].map(|second| set.status(at(second))), ["PREPARING", "FAILED"]);
        assert_eq!(set.ended(at(99)), Some(at(10)));
    }

    #[test]
    fn a_product_shows_a_revision_only_when_its_time_has_come() {
        let (account, title, visibility) = (String::new(), String::new(), String::new());
        let product = Product { account, title, visibility, revisions: vec![(at(0), json!(1)), (at(20), json!(2))] };
        assert_eq!(product.at(at(19)), (1, &json!(1)));
        assert_eq!(product.at(at(20)), (2, &json!(2)));
    }
}
