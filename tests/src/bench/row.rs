//! The table: what was measured, beside what, and what was promised.

use std::fmt::Write as _;

/// What was promised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// At most this part of the other's figure.
    Ratio(f64),
    /// At most this, in the row's unit.
    Value(f64),
}

/// One figure of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What is done.
    pub what: String,
    /// Of which the figures are: `CPU s`, `wall s`, `CPU ms`, `MiB`, `MB`.
    pub unit: &'static str,
    /// Ours.
    pub ours: f64,
    /// The other's name and figure.
    pub theirs: Option<(String, f64)>,
    /// What was promised.
    pub bound: Bound,
}

impl Row {
    /// A figure beside another tool's.
    pub(super) fn beside(
        (what, unit): (impl Into<String>, &'static str),
        ours: f64,
        (name, theirs): (impl Into<String>, f64),
        most: f64,
    ) -> Self {
        Self { what: what.into(), unit, ours, theirs: Some((name.into(), theirs)), bound: Bound::Ratio(most) }
    }

    /// A figure by itself.
    pub(super) fn alone((what, unit): (impl Into<String>, &'static str), ours: f64, most: f64) -> Self {
        Self { what: what.into(), unit, ours, theirs: None, bound: Bound::Value(most) }
    }

    /// What is held against the bound.
    fn figure(&self) -> f64 {
        match (self.bound, &self.theirs) {
            (Bound::Ratio(_), Some((_, theirs))) => self.ours / theirs,
            _ => self.ours,
        }
    }

    /// Whether the promise is kept.
    pub fn is_kept(&self) -> bool {
        let (Bound::Ratio(most) | Bound::Value(most)) = self.bound;
        self.figure() <= most
    }

    /// As a line of the table.
    pub fn line(&self) -> String {
        let (what, unit, ours) = (&self.what, self.unit, number(self.ours));
        let theirs =
            self.theirs.as_ref().map_or_else(|| "-".to_owned(), |(name, it)| format!("{} ({name})", number(*it)));
        let (figure, bound) = match self.bound {
            Bound::Ratio(most) => (format!("{:.2}", self.figure()), format!("<= {most}")),
            Bound::Value(most) => ("-".to_owned(), format!("<= {} {unit}", number(most))),
        };
        let verdict = if self.is_kept() { "ok" } else { "missed" };
        format!("| {what} | {unit} | {ours} | {theirs} | {figure} | {bound} | {verdict} |")
    }
}

fn number(figure: f64) -> String {
    if figure < 10.0 { format!("{figure:.2}") } else { format!("{figure:.0}") }
}

/// The rows in Markdown.
pub fn table(rows: &[Row]) -> String {
    let head = "| what | in | ours | beside | ratio | promised | |\n|---|---|---|---|---|---|---|\n".to_owned();
    rows.iter().fold(head, |mut text, row| {
        writeln!(text, "{}", row.line()).expect("text grows");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::Row;

    #[test]
    fn a_promise_is_kept_up_to_its_bound() {
        let ratio = |ours| Row::beside(("digest", "CPU s"), ours, ("openssl", 2.0), 1.1);
        assert!(ratio(2.2).is_kept() && !ratio(2.3).is_kept());
        assert!(Row::alone(("plan", "ms"), 99.0, 100.0).is_kept());
    }

    #[test]
    fn a_line_says_figures_ratio_and_verdict() {
        let row = Row::beside(("digest", "CPU s"), 2.5, ("openssl", 20.0), 0.1);
        assert_eq!(row.line(), "| digest | CPU s | 2.50 | 20 (openssl) | 0.12 | <= 0.1 | missed |");
    }
}
