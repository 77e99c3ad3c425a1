//! Where an image stands, in words: what is there, what is missing, and what it waits for.

use cloud_publish_core::names::Region;
use cloud_publish_core::plan::RefusalKind;
use cloud_publish_core::survey::Life;

use super::style::Word;

/// What is known of an image in a region, and of the same image in the target's other regions.
#[derive(Clone, Debug)]
pub(crate) struct Known<'a> {
    /// Where in its life it is.
    pub(crate) state: Life,
    /// It was taken back.
    pub(crate) is_withdrawn: bool,
    /// Its bytes are at the cloud, without an image.
    pub(crate) is_staged: bool,
    /// Why nothing may be done about it.
    pub(crate) refusals: &'a [RefusalKind],
    /// The verbs that publishing would carry out for it.
    pub(crate) next: &'a [String],
    /// Required regions that do not have the image yet.
    pub(crate) lacking: &'a [&'a Region],
}

/// The words.
pub(crate) fn words(known: &Known<'_>) -> String {
    if let Some(words) = known.refusals.iter().find_map(|kind| refused(*kind)) {
        return words.to_owned();
    }
    match known.state {
        Life::Unreadable => "could not be read".to_owned(),
        Life::Absent if known.is_staged => "missing, its bytes are there".to_owned(),
        Life::Absent => "missing".to_owned(),
        Life::Staged => "unfinished".to_owned(),
        Life::Registered | Life::Replicated => private(known),
        Life::Published => published(known.next),
        Life::Retired if known.is_withdrawn => "withdrawn".to_owned(),
        state => state.to_string(),
    }
}

/// The colour that goes with it.
pub(crate) fn colour(known: &Known<'_>) -> Word {
    match known.state {
        Life::Published if known.next.is_empty() && known.refusals.is_empty() => Word::Good,
        Life::Unreadable => Word::Bad,
        _ => Word::Warning,
    }
}

fn refused(kind: RefusalKind) -> Option<&'static str> {
    match kind {
        RefusalKind::Withdrawn => Some("withdrawn"),
        RefusalKind::Tombstone => Some("deleted on purpose"),
        RefusalKind::TwoObjects => Some("there twice"),
        RefusalKind::OtherDigest => Some("another content"),
        RefusalKind::OtherAttributes => Some("made otherwise than it should be"),
        RefusalKind::Untrusted => Some("its tags cannot be believed"),
        RefusalKind::Unreadable => Some("could not be read"),
        // Concerns the pointer, not the image.
        RefusalKind::SharedPointer => None,
    }
}

fn private(known: &Known<'_>) -> String {
    let asks = |verb: &str| known.next.iter().any(|next| next == verb);
    match known.lacking {
        [] if asks("gate") => "private, waiting for the gate".to_owned(),
        [] if asks("approve") => "private, waiting for approval".to_owned(),
        [] => "private, not published yet".to_owned(),
        [region] => format!("private, waiting for {region}"),
        several => format!("private, waiting for {} regions", several.len()),
    }
}

fn published(next: &[String]) -> String {
    let missing: Vec<&str> = next
        .iter()
        .map(|verb| match verb.as_str() {
            "tag" => "tags incomplete",
            "point" => "pointer missing",
            "list" => "not in the marketplace",
            "set-visibility" => "visibility differs",
            other => other,
        })
        .collect();
    if missing.is_empty() { "published".to_owned() } else { format!("published, {}", missing.join(", ")) }
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::names::Region;
    use cloud_publish_core::plan::RefusalKind;
    use cloud_publish_core::survey::Life;

    use super::{Known, words};

    fn known(state: Life) -> Known<'static> {
        Known { state, is_withdrawn: false, is_staged: false, refusals: &[], next: &[], lacking: &[] }
    }

    #[test]
    fn what_is_there_and_what_is_missing_is_said_in_words() {
        let states = [Life::Published, Life::Absent, Life::Unreadable, Life::Staged, Life::Hidden, Life::Retired];
        assert_eq!(
            states.map(|state| words(&known(state))),
            ["published", "missing", "could not be read", "unfinished", "hidden", "retired"]
        );
        let next = ["tag".to_owned(), "point".to_owned()];
        let half = Known { next: &next, ..known(Life::Published) };
        assert_eq!(words(&half), "published, tags incomplete, pointer missing");
        assert_eq!(words(&Known { is_staged: true, ..known(Life::Absent) }), "missing, its bytes are there");
        assert_eq!(words(&Known { is_withdrawn: true, ..known(Life::Retired) }), "withdrawn");
    }

    #[test]
    fn a_private_image_says_what_it_waits_for() {
        let regions = ["eu-north-1", "us-west-2"].map(|name| Region::new(name).unwrap());
        let all: Vec<&Region> = regions.iter().collect();
        let waiting = |lacking| words(&Known { lacking, ..known(Life::Registered) });
        assert_eq!(waiting(&[]), "private, not published yet");
        assert_eq!(waiting(&all[..1]), "private, waiting for eu-north-1");
        assert_eq!(waiting(&all), "private, waiting for 2 regions");
        for (verb, words_of_it) in
            [("gate", "private, waiting for the gate"), ("approve", "private, waiting for approval")]
        {
            let next = [verb.to_owned()];
            assert_eq!(words(&Known { next: &next, ..known(Life::Registered) }), words_of_it);
        }
    }

    #[test]
    fn what_may_not_be_touched_says_why() {
        let refused = |kind| words(&Known { refusals: &[kind], ..known(Life::Published) });
        assert_eq!(refused(RefusalKind::Withdrawn), "withdrawn");
        assert_eq!(refused(RefusalKind::TwoObjects), "there twice");
        assert_eq!(refused(RefusalKind::SharedPointer), "published");
    }
}
