//! Deletes what is to go, protected or not. Whether it may go has been decided before.

use crate::error::WireError;
use crate::glance::{Glance, Image, Patch};

/// Takes the protection off first, for Glance refuses to delete a protected image.
pub(crate) async fn remove(glance: Glance<'_>, image: &Image) -> Result<(), WireError> {
    if image.protected {
        glance.patch(&image.id, &Patch::default().base("protected", false)).await?;
    }
    glance.delete(&image.id).await
}
