//! Packed disks: a cloud gets what is inside, a directory offers the file as given, and a second run unpacks nothing.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cloud_publish_core::digest::hex;
use cloud_publish_core::error::Kind;
use cloud_publish_core::local::{FormatChoice, Local, LocalSettings};
use cloud_publish_core::publisher::Replication;
use cloud_publish_core::run::{RunOutcome, Summary};
use object_store::ObjectStore;
use sha2::{Digest, Sha256, Sha512};

use crate::world::{World, store};

const RELEASE: &str = "bookworm-20240101";
const RAW: &str = "genericcloud-20240101-1614.raw";

/// Packs the release's disk with a command of the shell, `disk.raw` in the folder being the disk; gives the disk back.
fn pack(world: &World, packed: &str, command: &str) -> Vec<u8> {
    let folder = world.path();
    let disk = std::fs::read(folder.join(RAW)).unwrap();
    std::fs::rename(folder.join(RAW), folder.join("disk.raw")).unwrap();
    let file = format!("packed.{packed}");
    let done = Command::new("sh").args(["-ec", &format!("{command} > {file}")]).current_dir(folder).status().unwrap();
    assert!(done.success(), "{command}");
    std::fs::remove_file(folder.join("disk.raw")).unwrap();
    let sha256 = hex(&Sha256::digest(std::fs::read(folder.join(&file)).unwrap()));
    let manifest = format!(
        "schema = 1\nname = \"{RELEASE}\"\nsuite = \"bookworm\"\nsuite_id = \"12\"\nversion = \"20240101-1614\"\n\
         class = \"release\"\ndate = 2024-01-01T00:00:00Z\n[[artifact]]\nvariant = \"genericcloud\"\narch = \"amd64\"\n\
         file = \"{file}\"\nformat = \"raw\"\npacked = \"{packed}\"\nsha256 = \"{sha256}\"\nboot = \"uefi\"\n"
    );
    std::fs::write(folder.join(format!("{RELEASE}.toml")), manifest).unwrap();
    disk
}

async fn to_directory(world: &World, public: &Path, state: &Arc<dyn ObjectStore>) -> Summary {
    let (config, mut request) = world.request(RELEASE);
    let settings = LocalSettings {
        target: "t-acc".parse().unwrap(),
        owner: config.owner.clone(),
        path: public.to_owned(),
        formats: vec![FormatChoice::AsIs],
        base_url: None,
    };
    request.targets[0].publisher = Arc::new(Local::new(settings).unwrap());
    world.run(&world.environment(config, state.clone()), &request).await.unwrap()
}

#[tokio::test]
#[ignore = "needs GNU tar, xz, gzip and zstd; tests/run runs it"]
async fn a_cloud_gets_the_disk_inside() {
    for (packed, command) in [
        ("tar.xz", "tar -S --format=oldgnu -cJ disk.raw"),
        ("tar", "tar -c disk.raw"),
        ("gz", "gzip -c disk.raw"),
        ("xz", "xz -c disk.raw"),
        ("zst", "zstd -qc disk.raw"),
    ] {
        let (plain, world, state) = (World::new(Replication::PerRegion), World::new(Replication::PerRegion), store());
        plain.publish(&store()).await.unwrap();
        pack(&world, packed, command);
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Complete, "{packed}: {:?}", summary.failures);
        // The same content, hence the same images, tag by tag.
        assert_eq!(world.seen(), plain.seen(), "{packed}");

        // A finished release is neither read nor unpacked: nobody misses the file's content.
        let file = world.path().join(format!("packed.{packed}"));
        let length = std::fs::metadata(&file).unwrap().len();
        std::fs::write(&file, vec![0; usize::try_from(length).unwrap()]).unwrap();
        let writes = world.cloud.writes().len();
        let again = world.publish(&state).await.unwrap();
        assert_eq!((again.outcome, world.cloud.writes().len()), (RunOutcome::Complete, writes), "{packed}");
        let left: Vec<_> = std::fs::read_dir(world.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}

#[tokio::test]
#[ignore = "needs GNU tar and xz; tests/run runs it"]
async fn a_directory_offers_the_file_as_given() {
    for (packed, command, name) in [
        ("tar.xz", "tar -cJ disk.raw", "debian-12-genericcloud-amd64-20240101-1614.tar.xz"),
        ("xz", "xz -c disk.raw", "debian-12-genericcloud-amd64-20240101-1614.raw.xz"),
    ] {
        let (world, state) = (World::new(Replication::None), store());
        let disk = pack(&world, packed, command);
        let given = std::fs::read(world.path().join(format!("packed.{packed}"))).unwrap();
        let public = world.path().join("public");
        let summary = to_directory(&world, &public, &state).await;
        assert_eq!(summary.outcome, RunOutcome::Complete, "{packed}: {:?}", summary.failures);
        let version = public.join("bookworm/20240101-1614");
        assert!(std::fs::read(version.join(name)).unwrap() == given);
        let sums = std::fs::read_to_string(version.join("SHA512SUMS")).unwrap();
        assert!(sums.contains(&format!("{}  {name}", hex(&Sha512::digest(&given)))), "{sums}");
        let index = std::fs::read_to_string(version.join("index.html")).unwrap();
        assert!(index.contains(&hex(&Sha256::digest(&disk))), "the page tells the digest of the disk");

        let again = to_directory(&world, &public, &state).await;
        assert_eq!((again.outcome, again.failures.len()), (RunOutcome::Complete, 0));
    }
}

#[tokio::test]
async fn a_packed_disk_without_the_key_is_refused_and_the_key_is_named() {
    let world = World::new(Replication::None);
    let mut bytes = b"\xfd7zXZ\0".to_vec();
    bytes.resize(1024, 0);
    std::fs::write(world.path().join(RAW), &bytes).unwrap();
    let manifest = world.path().join(format!("{RELEASE}.toml"));
    let text = std::fs::read_to_string(&manifest).unwrap();
    let (before, _) = text.split_once("sha256").unwrap();
    let sha256 = hex(&Sha256::digest(&bytes));
    std::fs::write(&manifest, format!("{before}sha256 = \"{sha256}\"\nboot = \"uefi\"\n")).unwrap();
    let error = world.publish(&store()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.advice().unwrap().contains("packed = \"xz\""), "{error:?}");
    assert_eq!(world.cloud.writes(), vec![]);
}
