//! The sandbox: an unchanged publish.toml reaches clouds of its own, and nothing is left behind.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use cloud_publish_tests::paths;
use cloud_publish_tests::running::Running;
use cloud_publish_tests::site::{Artifact, Ran, Site};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Three providers, a state in a bucket, a role, clouds and regions that nobody else has.
const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "s3://debian-state/ledger"
[target.local]
provider = "local"
path = "public"
[target.openstack]
provider = "openstack"
cloud = "mycloud"
regions = ["North", "South"]
visibility = "public"
[target.other]
provider = "openstack"
cloud = "other"
visibility = { shared_with = ["0123456789abcdef0123456789abcdef"] }
[target.aws]
provider = "aws"
account = "123456789012"
roles = ["arn:aws:iam::123456789012:role/publisher"]
home_region = "us-east-1"
regions = ["us-east-1", "eu-west-1"]
best_effort = ["me-central-1"]
visibility = "public"
parameters = ["/debian/{class}/{suite}/{variant}/latest/{arch}"]
"#;

/// A folder with a release, and a folder for what is temporary.
struct Place {
    site: Site,
    folder: PathBuf,
    temporary: TempDir,
    _all: TempDir,
}

impl Place {
    fn new(config: &str) -> Self {
        let all = tempfile::tempdir().unwrap();
        let folder = all.path().join("site");
        let site = Site::new(&folder, config);
        let mut bytes = vec![0; 1 << 20];
        bytes[..4096].fill(7);
        fs::write(site.release_file("disk.raw"), bytes).unwrap();
        let (variant, file) = ("genericcloud", "disk.raw");
        site.add(Artifact { variant, file, format: "raw", boot: "uefi", build_manifest: None });
        Self { site, folder, temporary: tempfile::tempdir().unwrap(), _all: all }
    }

    /// The sandbox, in the folder, with these arguments.
    fn sandbox(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
        command.args(arguments).current_dir(&self.folder).env("TMPDIR", self.temporary.path()).stdin(Stdio::null());
        // Of whoever runs the tests.
        command.env("AWS_PROFILE", "real").env("OS_CLOUD", "real").env("SSL_CERT_DIR", "/etc/ssl/certs");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.sandbox(arguments).output().unwrap())
    }

    /// A few lines of shell in the sandbox.
    fn shell(&self, script: &str) -> Ran {
        self.run(&["--", "sh", "-ec", script])
    }

    fn assert_nothing_left(&self) {
        let left: Vec<PathBuf> =
            fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, Vec::<PathBuf>::new());
        for written in ["state", "public", "public.work", ".cloud-publish"] {
            assert!(!self.site.path(written).exists(), "{written}");
        }
    }
}

const PUBLISHED: &str = "publish --release bookworm-20240101 --all-targets --yes --no-progress
publish verify --release bookworm-20240101
publish --release bookworm-20240101 --all-targets --yes --no-progress
publish find | wc -l
ls public";

#[test]
#[ignore = "needs the binary that tests/run builds"]
fn an_unchanged_configuration_publishes_to_clouds_of_its_own() {
    let place = Place::new(CONFIG);
    let ran = place.shell(PUBLISHED).expect(0);
    // local, two regions and two that nobody named, three regions of AWS.
    assert!(ran.err.contains("8 of 8 images published"), "{}", ran.err);
    assert!(ran.err.contains("nothing to do: all of bookworm-20240101 is published"), "{}", ran.err);
    for place in ["North", "South", "me-central-1"] {
        assert!(ran.out.contains(place), "{}", ran.out);
    }
    assert!(ran.err.contains("a fake OpenStack with the clouds mycloud, other"), "{}", ran.err);
    place.assert_nothing_left();
}

#[test]
#[ignore = "needs the binary that tests/run builds"]
fn the_example_configurations_work_in_it() {
    for (name, targets) in [("publish.toml", "local,openstack"), ("aws-distribution.toml", "aws")] {
        let config = fs::read_to_string(paths::root().join("examples/configs").join(name)).unwrap();
        // The release is raw: `raw` would be the same file as `as-is`.
        let config = config.replace("\"as-is\", \"raw\"", "\"as-is\"");
        let place = Place::new(&config);
        let line = format!("publish --release bookworm-20240101 --to {targets} --no-progress");
        let ran = place.shell(&format!("{line}\npublish verify --release bookworm-20240101 --to {targets}\n{line}"));
        let ran = ran.expect(0);
        assert!(ran.err.contains("nothing to do"), "{name}: {}", ran.err);
        place.assert_nothing_left();
    }
}

#[test]
#[ignore = "needs the servers that tests/run installs"]
fn the_real_servers_stand_for_openstack() {
    let config = "schema = 1\nowner = \"debian\"\nreleases = \"releases\"\nstate = \"state\"\n[target.openstack]\n\
                  provider = \"openstack\"\ncloud = \"mycloud\"\nregions = [\"RegionOne\", \"RegionTwo\"]\n\
                  visibility = \"public\"\n";
    let place = Place::new(config);
    let line = "publish --release bookworm-20240101 --to openstack --no-progress";
    let script = format!("{line}\npublish verify --release bookworm-20240101\n{line}");
    let ran = place.run(&["--real", "--", "sh", "-ec", &script]).expect(0);
    assert!(ran.err.contains("a real Keystone and two real Glances as the cloud mycloud"), "{}", ran.err);
    assert!(ran.err.contains("nothing to do"), "{}", ran.err);
    place.assert_nothing_left();
}

#[test]
fn the_quickstart_is_taken_as_it_is_and_no_redirect_reaches_it() {
    let quickstart = paths::root().join("examples/quickstart");
    let config = quickstart.join("publish.toml");
    let place = Place::new(CONFIG);
    let script = "echo mine > releases/of-the-sandbox; echo >> publish.toml; ls";
    let ran = place.run(&["--config", config.to_str().unwrap(), "--", "sh", "-ec", script]).expect(0);
    assert!(ran.out.contains("publish.toml\nreleases\n"), "{}", ran.out);
    assert!(!quickstart.join("releases/of-the-sandbox").exists());
    assert!(!fs::read_to_string(config).unwrap().ends_with("\n\n"));
    place.assert_nothing_left();
}

#[test]
fn help_and_version_are_no_errors() {
    let place = Place::new(CONFIG);
    let help = place.run(&["--help"]).expect(0);
    assert!(help.out.starts_with("usage: sandbox") && help.err.is_empty(), "{}", help.err);
    let version = place.run(&["--version"]).expect(0);
    assert_eq!((version.out, version.err), (format!("sandbox {}\n", env!("CARGO_PKG_VERSION")), String::new()));
    place.assert_nothing_left();
}

#[test]
fn the_command_sees_no_variable_of_a_real_cloud() {
    let place = Place::new(CONFIG);
    let ran = place.run(&["env"]).expect(0);
    for gone in ["AWS_PROFILE", "OS_CLOUD", "SSL_CERT_DIR"] {
        assert!(!ran.out.contains(gone), "{}", ran.out);
    }
    assert!(ran.out.contains("AWS_ENDPOINT_URL=https://127.0.0.1:"), "{}", ran.out);
    place.assert_nothing_left();
}

#[test]
fn what_a_failing_command_started_is_ended() {
    let place = Place::new(CONFIG);
    let ran = place.shell("setsid sleep 1000 & echo $!\n(sleep 1001 & echo $!)\nexit 7").expect(7);
    let pids: Vec<&str> = ran.out.lines().collect();
    assert_eq!(pids.len(), 2, "{}", ran.out);
    for pid in pids {
        assert!(!is_running(pid), "{pid}");
    }
    place.assert_nothing_left();
}

#[test]
fn a_signal_reaches_the_command_and_everything_ends() {
    let place = Place::new(CONFIG);
    let said = place.folder.join("said");
    let script = "trap 'echo told; exit 9' TERM\necho $$ > \"$SAID\"\nwhile :; do sleep 0.1; done";
    let mut command = place.sandbox(&["--", "sh", "-c", script]);
    command.env("SAID", &said);
    let running = Running::start(command, &place.folder, "run");
    let pid = appears(&said);
    let sandbox = Pid::from_raw(i32::try_from(running.id()).unwrap()).unwrap();
    kill_process(sandbox, Signal::TERM).unwrap();
    let ran = running.wait().expect(9);
    assert_eq!(ran.out, "told\n");
    assert!(!is_running(&pid));
    place.assert_nothing_left();
}

#[test]
fn a_command_that_does_not_heed_is_killed_with_what_it_left() {
    let place = Place::new(CONFIG);
    let ran = place.shell("sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.1; done' &\nsleep 0.5").expect(0);
    assert!(!is_running(ran.out.trim()), "{}", ran.out);
    place.assert_nothing_left();
}

#[test]
fn what_a_killed_sandbox_left_is_removed_by_the_next_and_a_living_one_keeps_its_own() {
    let place = Place::new(CONFIG);
    let folder = |name: &str| {
        let folder = place.temporary.path().join(format!("cloud-publish-sandbox-{name}"));
        fs::create_dir(&folder).unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        File::open(&folder).unwrap().set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
        (folder, lock)
    };
    let (dead, _) = folder("dead");
    let (living, lock) = folder("living");
    lock.lock().unwrap();
    place.run(&["true"]).expect(0);
    assert!(!dead.exists());
    assert!(living.exists());
}

#[test]
fn a_provider_that_nothing_stands_for_is_refused_by_name() {
    let config = fs::read_to_string(paths::root().join("examples/configs/all-targets.toml")).unwrap();
    let place = Place::new(&config);
    let ran = place.run(&["echo", "reached"]).expect(125);
    assert_eq!(ran.out, "");
    assert!(ran.err.contains("target.azure: the sandbox has nothing that stands for azure yet"), "{}", ran.err);
    place.assert_nothing_left();
}

#[test]
fn the_real_servers_are_one_cloud_with_two_regions() {
    let place = Place::new(CONFIG);
    let ran = place.run(&["--real", "true"]).expect(125);
    assert!(ran.err.contains("the real servers are one cloud"), "{}", ran.err);
    place.assert_nothing_left();
}

/// The content of a file, once it has a whole line.
fn appears(file: &Path) -> String {
    let begun = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(file)
            && text.ends_with('\n')
        {
            return text.trim().to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(240), "{} does not appear", file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // What is dead and not yet waited for runs no more.
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}
