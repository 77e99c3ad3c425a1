//! The pages above the version directories, and `latest`: derived from the version pages, never from memory.

use std::fs;
use std::path::Path;

use super::files;
use super::layout::{Folder, INDEX, LATEST, Layout, line};
use super::page::{self, Summary};
use crate::error::{Error, Kind, Result};
use crate::names::{Class, Suite};

/// Writes the pages of a suite, of its dailies and of the whole tree. Pages that somebody else wrote are left alone.
pub(super) fn refresh(layout: &Layout, suite: &Suite) -> Result<()> {
    let dailies = versions(layout, suite, Class::Daily)?;
    let daily_dir = layout.public.join(line(suite, Class::Daily));
    if daily_dir.is_dir() {
        let page = page::line(&format!("{suite} daily builds"), Class::Daily, &dailies, false);
        write_page(layout, &daily_dir, &page)?;
    }
    let suite_dir = layout.public.join(line(suite, Class::Release));
    if !suite_dir.is_dir() {
        return Ok(());
    }
    let releases = versions(layout, suite, Class::Release)?;
    let page = page::line(suite.as_str(), Class::Release, &releases, !dailies.is_empty());
    write_page(layout, &suite_dir, &page)?;
    let mut suites = files::directories(&layout.public)?;
    suites.retain(|suite| is_our_page(&layout.public.join(suite).join(INDEX)));
    write_page(layout, &layout.public, &page::top(&suites))
}

/// The versions of a suite and class that have something to show.
fn versions(layout: &Layout, suite: &Suite, class: Class) -> Result<Vec<Summary>> {
    let dir = layout.public.join(line(suite, class));
    let mut versions = Vec::new();
    for name in files::directories(&dir)? {
        let page = files::read_small(&dir.join(&name).join(INDEX))?.unwrap_or_default();
        versions.extend(page::summary(&page).filter(|told| told.images > 0 && told.version == name));
    }
    Ok(versions)
}

/// Whether a page stands in the way: one that we did not make.
pub(super) fn is_foreign_page(path: &Path) -> bool {
    files::exists(path).unwrap_or(true) && !is_our_page(path)
}

/// Whether a page was made here.
pub(super) fn is_our_page(path: &Path) -> bool {
    files::read_small(path).ok().flatten().is_some_and(|page| page::is_ours(&page))
}

fn write_page(layout: &Layout, dir: &Path, page: &str) -> Result<()> {
    let path = dir.join(INDEX);
    if is_foreign_page(&path) { Ok(()) } else { files::write(&layout.tmp(), &path, page.as_bytes()) }
}

/// Where `latest` leads beside a version; `None` without a link.
///
/// # Errors
/// [`Kind::NameTaken`] when something that is no link has the name.
pub(super) fn latest(layout: &Layout, line: &str) -> Result<Option<String>> {
    let path = layout.public.join(line).join(LATEST);
    if !files::exists(&path)? {
        return Ok(None);
    }
    match fs::read_link(&path) {
        Ok(to) => Ok(Some(to.to_string_lossy().trim_end_matches('/').to_owned())),
        Err(_) => Err(Error::new(Kind::NameTaken, "something that is no link is called `latest`")
            .with("path", path.display())
            .hint("move it away: the link to the newest version needs the name")),
    }
}

/// Makes `latest` lead to a version, in one step.
pub(super) fn point(layout: &Layout, folder: &Folder) -> Result<()> {
    let line = folder.line();
    if latest(layout, &line)?.as_deref() == Some(folder.version.as_str()) {
        return Ok(());
    }
    files::link(&layout.tmp(), &layout.public.join(line).join(LATEST), folder.version.as_str())
}

/// Takes `latest` away if it leads to a version that is about to show nothing: better no link than one into the void.
pub(super) fn unpoint(layout: &Layout, folder: &Folder) -> Result<()> {
    let line = folder.line();
    if latest(layout, &line).ok().flatten().as_deref() != Some(folder.version.as_str()) {
        return Ok(());
    }
    let path = layout.public.join(line).join(LATEST);
    files::remove(&path)?;
    files::sync_parent(&path)
}
