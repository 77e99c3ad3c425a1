use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::FormatChoice::{self, AsIs, GceTarGz, Qcow2, Raw, Vhd};
use super::rig::{Rig, assert_mirrorable, expose, region, register};
use super::steps::Watch;
use crate::disk::{Disk, DiskSource, Format};
use crate::error::Kind;
use crate::manifest::Visibility;
use crate::publisher::{
    ImageAt, ImageSpec, PreflightRequest, Probe, Proof, ProveRequest, Publisher, Severity, UploadRequest,
    VisibilityRequest,
};

const VERSION: &str = "bookworm/20240101-1614";

async fn proven(rig: &Rig, at: &ImageAt) -> crate::error::Result<Proof> {
    rig.local.prove(&rig.context, &ProveRequest { at: at.clone(), file_sha512: None }).await
}

fn names(rig: &Rig) -> Vec<String> {
    let inside = format!("{VERSION}/");
    let tree = rig.tree();
    tree.keys().filter_map(|path| path.strip_prefix(&inside)).map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn every_format_is_a_file_of_its_own_with_one_build_manifest_for_all() {
    let rig = Rig { size: (3 << 20) + 512, ..Rig::new() };
    let images = rig.formats("generic", &[AsIs, Qcow2, Vhd, GceTarGz]);
    let all = rig.publish(&images).await.unwrap();
    let name = "debian-12-generic-amd64-20240101-1614";
    let expected = [".json", ".qcow2", ".raw", ".tar.gz", ".vhd"].map(|extension| format!("{name}{extension}"));
    let expected: Vec<String> =
        ["SHA512SUMS".to_owned()].into_iter().chain(expected).chain(["index.html".to_owned()]).collect();
    assert_eq!(names(&rig), expected);
    assert_mirrorable(&rig.public());
    let page = fs::read_to_string(rig.public().join(VERSION).join("index.html")).unwrap();
    for part in ["raw disk", "qcow2", "fixed VHD", "disk.raw in a tar.gz"] {
        assert!(page.contains(part), "{part}");
    }
    for (at, (image, _)) in all.iter().zip(&images) {
        let digest = image.tags.digest;
        assert_eq!(proven(&rig, at).await.unwrap(), Proof::Content { digest }, "{}", at.id);
        let found = rig.found(at).await.unwrap();
        let expected = rig.local.expect(image, &region()).unwrap();
        for (key, value) in &expected.attributes {
            assert_eq!(found.attributes.get(key), Some(value), "{key} of {}", at.id);
        }
    }
}

fn sums(rig: &Rig) -> String {
    fs::read_to_string(rig.public().join(VERSION).join("SHA512SUMS")).unwrap()
}

#[tokio::test]
async fn a_format_that_may_not_become_public_stays_behind_and_may_come_later() {
    let rig = Rig { size: (1 << 20) + 512, ..Rig::new() };
    let all = rig.register(&rig.formats("generic", &[AsIs, Qcow2, Vhd])).await.unwrap();
    let name = "debian-12-generic-amd64-20240101-1614";
    let in_version = |extensions: &[&str]| -> Vec<String> {
        let files = extensions.iter().map(|extension| format!("{name}{extension}"));
        ["SHA512SUMS".to_owned()].into_iter().chain(files).chain(["index.html".to_owned()]).collect()
    };
    for (count, extensions) in [(1, &[".json", ".raw"][..]), (2, &[".json", ".qcow2", ".raw"])] {
        expose(&rig.local, &rig.context, &all[..count]).await.unwrap();
        assert_eq!(names(&rig), in_version(extensions));
        assert_mirrorable(&rig.public());
        assert!(!sums(&rig).contains(".vhd"), "{}", sums(&rig));
        let manifest = fs::read_to_string(rig.public().join(VERSION).join(format!("{name}.json"))).unwrap();
        assert!(!manifest.contains(".vhd"), "{manifest}");
        let left = rig.found(&all[2]).await.unwrap();
        assert_eq!((left.visibility, left.problems.len()), (Visibility::Private, 0));
    }
    expose(&rig.local, &rig.context, &all).await.unwrap();
    assert_eq!(names(&rig), in_version(&[".json", ".qcow2", ".raw", ".vhd"]));
    assert_mirrorable(&rig.public());
    for at in &all {
        assert_eq!(proven(&rig, at).await.unwrap(), Proof::Content { digest: at.tags.digest }, "{}", at.id);
        assert_eq!(rig.found(at).await.unwrap().visibility, Visibility::Public);
    }
    assert!(!rig.work().join("building").join(VERSION).exists());
}

#[tokio::test]
async fn an_image_that_may_not_become_public_stays_behind_for_good() {
    let rig = Rig::new();
    let all = rig.register(&rig.release(crate::names::Class::Release, "20240101-1614")).await.unwrap();
    expose(&rig.local, &rig.context, &all[..1]).await.unwrap();
    assert!(!sums(&rig).contains("nocloud") && names(&rig).iter().all(|name| !name.contains("nocloud")));
    assert_eq!(rig.found(&all[1]).await.unwrap().visibility, Visibility::Private);
    let late = expose(&rig.local, &rig.context, &all[1..]).await.unwrap_err();
    assert_eq!(late.kind(), Kind::Refused, "{late}");
    assert_mirrorable(&rig.public());
}

#[cfg(feature = "qcow2")]
#[tokio::test]
async fn a_qcow2_image_is_offered_as_it_is_and_as_what_its_disk_becomes() {
    let rig = Rig { size: (2 << 20) + 512, ..Rig::new() };
    let (raw, path) = (rig.formats("generic", &[AsIs, Raw, Vhd, GceTarGz]), rig.top().join("given.qcow2"));
    crate::disk::encode::write_qcow2(Arc::clone(&raw[0].1), File::create(&path).unwrap(), |_| {}).await.unwrap();
    let given = Arc::new(Disk::open(&DiskSource::new(&path, Format::Qcow2)).unwrap());
    let of_qcow2 = |(image, _): &(Arc<ImageSpec>, Arc<Disk>)| {
        let file_size = given.file_size();
        let spec = ImageSpec { format: Format::Qcow2, file_size, file_sha512: None, ..ImageSpec::clone(image) };
        (Arc::new(spec), Arc::clone(&given))
    };
    let images: Vec<_> = raw.iter().map(of_qcow2).collect();
    let all = rig.publish(&images).await.unwrap();
    for at in &all {
        assert_eq!(proven(&rig, at).await.unwrap(), Proof::Content { digest: at.tags.digest }, "{}", at.id);
    }
    let same = |at: &ImageAt, path: &std::path::Path| {
        fs::read(rig.public().join(at.id.as_str())).unwrap() == fs::read(path).unwrap()
    };
    assert!(same(&all[0], &path) && same(&all[1], raw[0].1.path()));
}

#[tokio::test]
async fn a_second_upload_finds_the_first_one_s_bytes() {
    let rig = Rig::new();
    for (image, disk) in rig.formats("generic", &[Raw, Qcow2, Vhd]) {
        let request = UploadRequest { image, region: region(), disk };
        assert!(rig.local.upload(&rig.context, &request).await.unwrap().sent > 0);
        assert_eq!(rig.local.upload(&rig.context, &request).await.unwrap().sent, 0);
    }
}

#[tokio::test]
async fn raw_is_written_with_holes_wherever_there_are_zeros() {
    let rig = Rig { size: 64 << 20, ..Rig::new() };
    let [image] = <[_; 1]>::try_from(rig.formats("generic", &[Raw])).unwrap();
    fs::write(image.1.path(), fs::read(image.1.path()).unwrap()).unwrap();
    let full = Arc::new(Disk::open(&DiskSource::new(image.1.path(), Format::Raw)).unwrap());
    let all = rig.publish(&[(image.0, full)]).await.unwrap();
    let found = fs::metadata(rig.public().join(all[0].id.as_str())).unwrap();
    assert_eq!(found.len(), 64 << 20);
    assert!(found.blocks() * 512 < 1 << 20, "{} blocks", found.blocks());
}

#[tokio::test]
async fn damage_of_what_was_made_is_found_by_reading_it_back() {
    let rig = Rig::new();
    let images = rig.formats("generic", &[Vhd, GceTarGz, Qcow2]);
    let all = rig.publish(&images).await.unwrap();
    for at in &all {
        let path = rig.public().join(at.id.as_str());
        let good = fs::read(&path).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        for place in [9, good.len() as u64 / 3, good.len() as u64 - 9] {
            let old = good[usize::try_from(place).unwrap()];
            file.write_all_at(&[!old], place).unwrap();
            let proof = proven(&rig, at).await;
            let is_right = matches!(&proof, Ok(Proof::Content { digest }) if *digest == at.tags.digest);
            // The name of the system in gzip's header, and the end of qcow2's last cluster, are nobody's.
            let means_nothing = at.id.as_str().ends_with("gz") && place == 9;
            let behind_all = at.id.as_str().ends_with("qcow2") && place != 9;
            assert!(!is_right || means_nothing || behind_all, "{}, byte {place}", at.id);
            file.write_all_at(&[old], place).unwrap();
        }
        file.set_len(good.len() as u64 - 512).unwrap();
        assert!(proven(&rig, at).await.is_err(), "{}", at.id);
    }
}

/// A target in the same directory, with its formats changed.
fn changed(rig: Rig, formats: &[FormatChoice]) -> Rig {
    let local = super::rig::local_with(rig.dir.path(), formats);
    Rig { local, ..rig }
}

#[tokio::test]
async fn a_format_that_is_configured_later_is_added_by_one_swap() {
    let rig = Rig::new();
    let before =
        rig.publish(&[rig.formats("generic", &[AsIs]), rig.formats("nocloud", &[AsIs])].concat()).await.unwrap();
    let inode = |at: &ImageAt| fs::metadata(rig.public().join(at.id.as_str())).unwrap().ino();
    let inodes: Vec<u64> = before.iter().map(inode).collect();
    let rig = changed(rig, &[AsIs, Qcow2, Vhd]);
    let (public, work) = (rig.public(), rig.work());
    let _watch = Watch::new(&rig.top(), move || {
        assert_mirrorable(&public);
        let files = fs::read_dir(public.join(VERSION)).unwrap().count();
        assert!([6, 10].contains(&files), "{files}");
        work.exists()
    });
    let images = [rig.formats("generic", &[AsIs, Qcow2, Vhd]), rig.formats("nocloud", &[AsIs, Qcow2, Vhd])].concat();
    let findings = preflight(&rig, &images).await;
    assert_eq!(findings, Vec::<String>::new());
    let all = rig.publish(&images).await.unwrap();
    assert_eq!(names(&rig).len(), 10);
    let inode = |at: &ImageAt| fs::metadata(rig.public().join(at.id.as_str())).unwrap().ino();
    assert_eq!(before.iter().map(inode).collect::<Vec<_>>(), inodes, "what was there stays the same files");
    for at in &all {
        assert_eq!(proven(&rig, at).await.unwrap(), Proof::Content { digest: at.tags.digest });
    }
    let stamps = rig.stamps();
    rig.publish(&images).await.unwrap();
    assert_eq!(rig.stamps(), stamps);
    let empty = super::rig::tree(&rig.work());
    assert!(!empty.keys().any(|path| path.starts_with("building/") || path.starts_with("staged/")), "{empty:?}");
}

async fn preflight(rig: &Rig, images: &[(Arc<ImageSpec>, Arc<Disk>)]) -> Vec<String> {
    let additions: Vec<_> = images.iter().map(|(image, _)| (Arc::clone(image), region())).collect();
    let request = PreflightRequest { exposures: additions.clone(), additions, probe: Probe::ReadOnly };
    let found = rig.local.preflight(&rig.context, &request).await.unwrap();
    found.into_iter().filter(|one| one.severity == Severity::Error).map(|one| one.message).collect()
}

#[tokio::test]
async fn a_published_version_gets_no_other_artifact_nor_other_content() {
    let rig = Rig::new();
    rig.publish(&rig.formats("generic", &[AsIs])).await.unwrap();
    let other = rig.formats("nocloud", &[Qcow2]);
    assert!(preflight(&rig, &other).await[0].contains("published already"));
    assert_eq!(register(&rig.local, &rig.context, &other).await.unwrap_err().kind(), Kind::Refused);
    let [(image, disk)] = <[_; 1]>::try_from(rig.formats("generic", &[Qcow2])).unwrap();
    let mut changed = ImageSpec::clone(&image);
    changed.tags.digest = crate::digest::Digest::from_bytes([9; 32]);
    let error = register(&rig.local, &rig.context, &[(Arc::new(changed), disk)]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
}

#[tokio::test]
async fn a_file_of_somebody_else_under_the_new_name_stops_a_further_format_before_anything_is_moved() {
    let rig = Rig::new();
    rig.publish(&rig.formats("generic", &[AsIs])).await.unwrap();
    let coming = rig.formats("generic", &[Qcow2]);
    let all = rig.register(&coming).await.unwrap();
    let foreign = rig.public().join(all[0].id.as_str());
    fs::write(&foreign, "theirs").unwrap();
    let (public, work) = (rig.tree(), super::rig::tree(&rig.work().join("building")));
    let request = VisibilityRequest { at: all[0].clone(), wanted: Visibility::Public, along: Vec::new() };
    for _ in 0..2 {
        let error = rig.local.set_visibility(&rig.context, &request).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NameTaken, "{error}");
        assert_eq!(error.context("path"), foreign.to_str());
        assert_eq!((rig.tree(), super::rig::tree(&rig.work().join("building"))), (public.clone(), work.clone()));
    }
    let later = rig.formats("generic", &[Vhd]);
    fs::write(foreign.with_extension("vhd"), "theirs").unwrap();
    assert!(preflight(&rig, &later).await[0].contains("something else of this name"));
    assert_eq!(rig.register(&later).await.unwrap_err().kind(), Kind::NameTaken);
    fs::remove_file(foreign.with_extension("vhd")).unwrap();
    fs::remove_file(&foreign).unwrap();
    rig.local.set_visibility(&rig.context, &request).await.unwrap();
    assert_eq!(proven(&rig, &all[0]).await.unwrap(), Proof::Content { digest: all[0].tags.digest });
}

#[tokio::test]
async fn one_format_can_go_and_come_back_and_checksums_are_right_at_every_step() {
    let rig = Rig::new();
    let all = rig.publish(&rig.formats("generic", &[AsIs, Qcow2, Vhd])).await.unwrap();
    let (before, public) = (rig.tree(), rig.public());
    let _watch = Watch::new(&rig.top(), move || {
        assert_mirrorable(&public);
        true
    });
    for at in &all {
        rig.local.retire(&rig.context, at).await.unwrap();
        assert!(!rig.public().join(at.id.as_str()).exists());
        rig.local.restore(&rig.context, at).await.unwrap();
        assert_eq!(rig.tree().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    }
    for at in &all {
        rig.local.delete(&rig.context, at).await.unwrap();
    }
    assert_eq!(names(&rig), Vec::<String>::new());
}

#[tokio::test]
async fn a_dropped_upload_is_taken_up_and_ends_with_the_right_bytes() {
    let rig = Rig { size: 64 << 20, ..Rig::new() };
    let images = rig.formats("generic", &[Raw, Qcow2, Vhd]);
    for (image, disk) in &images {
        let request = UploadRequest { image: Arc::clone(image), region: region(), disk: Arc::clone(disk) };
        let upload = rig.local.upload(&rig.context, &request);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(3), upload).await;
    }
    for at in rig.publish(&images).await.unwrap() {
        assert_eq!(proven(&rig, &at).await.unwrap(), Proof::Content { digest: at.tags.digest });
    }
}

/// Adds a format to a published version and dies before the `last`-th change; says whether it died, and what is there
/// after the next try.
async fn added(last: usize) -> (bool, Vec<String>) {
    let rig = Rig { size: 4096, ..Rig::new() };
    rig.publish(&rig.formats("generic", &[AsIs])).await.unwrap();
    let (count, public) = (AtomicUsize::new(0), rig.public());
    let watch = Watch::new(&rig.top(), move || {
        assert_mirrorable(&public);
        count.fetch_add(1, Ordering::SeqCst) < last
    });
    let images = rig.formats("generic", &[AsIs, Qcow2, Vhd]);
    let died = rig.publish(&images).await.is_err();
    drop(watch);
    assert_mirrorable(&rig.public());
    for at in rig.publish(&images).await.unwrap() {
        assert_eq!(proven(&rig, &at).await.unwrap(), Proof::Content { digest: at.tags.digest });
    }
    let survey = rig.survey().await;
    assert_eq!((survey.images.len(), survey.staged.len(), survey.incomplete.len()), (3, 0, 0));
    let mut all: Vec<String> = rig.tree().into_keys().collect();
    all.extend(super::rig::tree(&rig.work()).into_keys().filter(|path| path.starts_with("building/bookworm/")));
    (died, all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_a_format_is_added_the_next_run_ends_where_an_unkilled_one_does() {
    let (died, reference) = added(usize::MAX).await;
    assert!(!died);
    let mut last = 0;
    loop {
        let runs: Vec<_> = (last..last + 16).map(|last| tokio::spawn(added(last))).collect();
        let mut deaths = 0;
        for run in runs {
            let (died, after) = run.await.unwrap();
            assert_eq!(after, reference, "killed before one of the changes from {last}");
            deaths += usize::from(died);
        }
        last += deaths;
        if deaths < 16 {
            break;
        }
    }
    assert!(last > 30, "only {last} changes were seen");
}

#[test]
fn formats_of_one_name_are_refused_for_the_artifacts_they_meet_in() {
    let config = |formats: &str| -> super::super::LocalConfig {
        serde_json::from_str(&format!(r#"{{"path": "/srv/public", "formats": {formats}}}"#)).unwrap()
    };
    let artifact = |format| {
        let artifact = format!(
            "schema = 1\nname = \"r\"\nsuite = \"s\"\nsuite_id = \"1\"\nversion = \"1\"\nclass = \"release\"\n\
             date = 2024-01-01T00:00:00Z\n[[artifact]]\nvariant = \"v\"\narch = \"amd64\"\nfile = \"f\"\n\
             format = \"{format}\"\nboot = \"bios\"\nsha256 = \"{}\"\n",
            "ab".repeat(32)
        );
        let release = crate::manifest::Release::parse(std::path::Path::new("r.toml"), &artifact).unwrap();
        release.artifacts[0].clone()
    };
    let both = config(r#"["as-is", "qcow2"]"#);
    both.check_artifact(&artifact("raw")).unwrap();
    let error = both.check_artifact(&artifact("qcow2")).unwrap_err();
    assert_eq!(error.message(), "`as-is` and `qcow2` would be one file of an artifact, `.qcow2`");
    config(r#"["raw", "qcow2", "vhd", "gce-tar-gz"]"#).check_artifact(&artifact("qcow2")).unwrap();
}
