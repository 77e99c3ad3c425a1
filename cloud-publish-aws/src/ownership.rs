//! Whose an image or snapshot is: the same rules for both, on what an answer shows of it.

use aws_sdk_ec2::types::Tag;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::ImageTags;

use crate::publisher::Here;
use crate::tags::{decode, map};

/// What an answer shows of one object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    /// `image` or `snapshot`: the word of people and of the `aws` command.
    pub(crate) what: &'static str,
    pub(crate) id: &'a str,
    pub(crate) owner: Option<&'a str>,
    pub(crate) tags: &'a [Tag],
}

impl Shown<'_> {
    /// Refuses an object of another account or with other tags.
    ///
    /// # Errors
    /// [`Kind::Refused`].
    pub(crate) fn confirm(self, here: &Here, tags: &ImageTags) -> Result<()> {
        let what = self.what;
        if self.owner != Some(here.place.account.as_str()) {
            let owner = self.owner.unwrap_or("nobody");
            return Err(self.refused(format!("the {what} belongs to another account")).with("owner", owner));
        }
        match decode(&map(self.tags), &here.place, &here.region).tags {
            Ok(found) if found == *tags => Ok(()),
            Ok(found) => Err(self.refused(format!("the {what} carries other tags")).with("release", found.release)),
            Err(trouble) => Err(self.refused(format!("the {what}'s tags cannot be believed")).caused_by(trouble)),
        }
    }

    fn refused(self, message: String) -> Error {
        let what = self.what;
        Error::new(Kind::Refused, message)
            .hint(format!("it was left alone; look at it with `aws ec2 describe-{what}s --{what}-ids`"))
    }

    /// Insists that an object of our key is ours in everything else.
    ///
    /// # Errors
    /// [`Kind::Conflict`] naming it.
    pub(crate) fn same(self, here: &Here, tags: &ImageTags) -> Result<()> {
        let id = self.id;
        match decode(&map(self.tags), &here.place, &here.region).tags {
            Ok(found) if found == *tags => Ok(()),
            Ok(found) if found.digest != tags.digest => {
                Err(Error::new(Kind::Conflict, format!("{id} has our key but other content: {}", found.digest))
                    .hint("a published version never changes: give the new build a new version"))
            }
            Ok(_) => Err(Error::new(Kind::Conflict, format!("{id} has our key but other tags"))),
            Err(trouble) => {
                Err(Error::new(Kind::Conflict, format!("{id} has our key but its tags cannot be believed"))
                    .caused_by(trouble))
            }
        }
    }
}

/// The one of the living objects of a key, if there is one.
///
/// # Errors
/// [`Kind::Conflict`] naming all of several; `hint` says which to keep.
pub(crate) fn only<T>(mut living: Vec<T>, show: impl Fn(&T) -> Shown<'_>, hint: &'static str) -> Result<Option<T>> {
    if let [first, _, ..] = living.as_slice() {
        let ids: Vec<&str> = living.iter().map(|one| show(one).id).collect();
        let message = format!("several {}s have one key: {}", show(first).what, ids.join(", "));
        return Err(Error::new(Kind::Conflict, message).hint(hint));
    }
    Ok(living.pop())
}
