//! The catalogue's files in the state: `catalogue.json`, and `releases/NAME.json` with one release's receipts.

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde::Serialize;

use super::{Catalogue, Row};
use crate::error::{Error, Kind, Result};
use crate::ledger::{History, failure};
use crate::names::ReleaseName;

const CATALOGUE: &str = "catalogue.json";

/// Reads the catalogue; an absent one is empty.
///
/// # Errors
/// [`Kind::Storage`] when the state cannot be read, or holds something that is no catalogue of ours.
pub async fn read(state: &dyn ObjectStore) -> Result<Catalogue> {
    let Some(bytes) = get(state, &Path::from(CATALOGUE)).await? else { return Ok(Catalogue::default()) };
    let catalogue: Catalogue = serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(Kind::Storage, "catalogue.json in the state is damaged")
            .hint("remove it: it is written again from the clouds at the next run")
            .caused_by(error)
    })?;
    if catalogue.schema == 1 {
        return Ok(catalogue);
    }
    Err(Error::new(Kind::Storage, format!("catalogue.json has schema {}, this program writes 1", catalogue.schema))
        .hint("a newer publish wrote it: use that one"))
}

/// Writes the catalogue, unless it says the same already.
///
/// # Errors
/// [`Kind::Storage`].
pub async fn write(state: &dyn ObjectStore, catalogue: &Catalogue) -> Result<()> {
    put(state, &Path::from(CATALOGUE), catalogue).await
}

#[derive(Serialize)]
struct Receipts<'a> {
    schema: u32,
    release: &'a ReleaseName,
    images: Vec<&'a Row>,
    receipts: Vec<&'a crate::execute::Receipt>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    approvals: &'a [crate::execute::Approval],
}

/// Writes what is there of one release and what was done for it, unless it says the same already.
///
/// # Errors
/// [`Kind::Storage`].
pub async fn write_receipts(
    state: &dyn ObjectStore,
    release: &ReleaseName,
    catalogue: &Catalogue,
    history: &History,
) -> Result<()> {
    let document = Receipts {
        schema: 1,
        release,
        images: catalogue.rows.iter().filter(|row| row.release == *release).collect(),
        receipts: history.receipts.iter().map(|recorded| &recorded.receipt).collect(),
        approvals: &history.approvals,
    };
    // `Path::from` would write a `~` of the name as `%7E`.
    let path = Path::parse(format!("releases/{release}.json"))
        .map_err(|error| Error::new(Kind::InvalidInput, "the release's name is no file name").caused_by(error))?;
    put(state, &path, &document).await
}

async fn put(state: &dyn ObjectStore, path: &Path, document: &(impl Serialize + Sync)) -> Result<()> {
    let failed = |error| failure("could not write the state".to_owned(), path, error);
    let mut text = serde_json::to_vec_pretty(document)
        .map_err(|error| Error::new(Kind::Unexpected, format!("could not write {path}")).caused_by(error))?;
    text.push(b'\n');
    if get(state, path).await?.is_some_and(|now| now == text) {
        return Ok(());
    }
    state.put(path, text.into()).await.map_err(failed).map(|_| ())
}

async fn get(state: &dyn ObjectStore, path: &Path) -> Result<Option<Vec<u8>>> {
    let failed = |error| failure("could not read the state".to_owned(), path, error);
    match state.get(path).await {
        Ok(found) => Ok(Some(found.bytes().await.map_err(failed)?.to_vec())),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}
