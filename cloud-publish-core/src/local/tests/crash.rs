use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::rig::{Rig, assert_mirrorable, tree};
use super::steps::Watch;
use crate::disk::Disk;
use crate::error::Result;
use crate::identity::Marks;
use crate::names::Class;
use crate::publisher::{ImageAt, ImageSpec, Publisher};

type Images = Vec<(Arc<ImageSpec>, Arc<Disk>)>;

/// What is done to a release, one after the other.
const PHASES: [&str; 8] =
    ["register", "publish", "hide", "retire first", "retire second", "restore second", "restore first", "delete"];

async fn phase(rig: &Rig, images: &Images, all: &mut Vec<ImageAt>, name: &str) -> Result<()> {
    if name == "register" {
        *all = rig.register(images).await?;
        return Ok(());
    }
    if name == "publish" {
        rig.publish(images).await?;
        return Ok(());
    }
    let [first, second] = &all[..] else { panic!("two images") };
    let (local, context) = (&rig.local, &rig.context);
    match name {
        "hide" => local.hide(context, second).await,
        "retire first" => local.retire(context, first).await,
        "retire second" => local.retire(context, second).await,
        "restore second" => {
            local.restore(context, second).await?;
            rig.mark(second, Marks::default()).await
        }
        "restore first" => {
            local.restore(context, first).await?;
            rig.mark(first, Marks::default()).await
        }
        _ => {
            local.delete(context, first).await?;
            local.delete(context, second).await.map(drop)
        }
    }
}

/// Everything that can be seen after a phase: the mirrored tree, and the survey as far as it has no times of today.
///
/// Of the tree the names: keys differ by the temporary directory, and with them annotations and sums.
async fn seen(rig: &Rig) -> Seen {
    let survey = rig.survey().await;
    assert!(survey.incomplete.is_empty(), "{:?}", survey.incomplete);
    let mut lines: Vec<String> = Vec::new();
    for image in survey.images {
        assert!(image.problems.is_empty(), "{:?}", image.problems);
        lines.push(format!("{} {} {:?}", image.id, image.life(), image.attributes));
    }
    lines.extend(survey.staged.iter().map(|staged| format!("staged {}", staged.tags.is_some())));
    lines.extend(survey.pointers.iter().map(|found| format!("{} -> {:?}", found.name, found.to)));
    let mut names: Vec<String> = rig.tree().into_keys().collect();
    for name in ["building", "retired", "staged"] {
        // The first part is a key or token.
        let inside = tree(&rig.work().join(name)).into_keys();
        names.extend(inside.filter_map(|path| Some(format!("{name} {}", path.split_once('/')?.1))));
    }
    names.sort();
    (names, lines)
}

type Seen = (Vec<String>, Vec<String>);

/// Runs all phases, dying before the `last`-th change; repeats the phase in which it died. Says whether it died.
async fn run(last: usize) -> (bool, Vec<Seen>) {
    let rig = Rig { size: 4096, ..Rig::new() };
    let images = rig.release(Class::Release, "20240101-1614");
    let count = Arc::new(AtomicUsize::new(0));
    let (counter, public) = (Arc::clone(&count), rig.public());
    let mut watch = Some(Watch::new(&rig.top(), move || {
        assert_mirrorable(&public);
        counter.fetch_add(1, Ordering::SeqCst) < last
    }));
    let (mut all, mut after) = (Vec::new(), Vec::new());
    for name in PHASES {
        if let Err(error) = phase(&rig, &images, &mut all, name).await {
            assert!(watch.take().is_some(), "{name}: {}", error.chain().join(": "));
            assert_mirrorable(&rig.public());
            let again = phase(&rig, &images, &mut all, name).await;
            again.unwrap_or_else(|error| panic!("{name} again, after {last} changes: {}", error.chain().join(": ")));
        }
        after.push(seen(&rig).await);
    }
    (watch.is_none(), after)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_any_change_a_repeated_verb_ends_where_an_unkilled_one_does() {
    let (died, reference) = run(usize::MAX).await;
    assert!(!died);
    let (mut changes, mut deaths) = (0, 1);
    while deaths > 0 {
        deaths = 0;
        // Several at once, because most of the time goes into waiting for the disk.
        let runs = (changes..changes + 16).map(|last| (last, tokio::spawn(run(last))));
        for (last, run) in runs.collect::<Vec<_>>() {
            let (died, after) = run.await.unwrap();
            for ((name, here), there) in PHASES.iter().zip(&after).zip(&reference) {
                assert_eq!(here, there, "after `{name}`, killed before change {last}");
            }
            deaths += usize::from(died);
        }
        changes += deaths;
    }
    assert!(changes > 100, "only {changes} changes were seen");
}
