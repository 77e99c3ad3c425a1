use super::rig::local_in;
use crate::conformance::{Fixture, run_all};
use crate::publisher::Publisher;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().to_owned();
    let fixture = Fixture::new("debian".parse().unwrap(), "r1", dir.path(), move || {
        let fresh: Box<dyn Publisher> = Box::new(local_in(&top));
        Box::pin(async move { Ok(fresh) })
    });
    let fixture = fixture.unwrap().with_shortfall(
        "visibility_can_be_taken_back",
        "who has mirrored a directory has it: a published image is retired instead",
    );
    let report = run_all(&local_in(dir.path()), &fixture).await.unwrap();
    assert!(report.is_success(), "{report}");
}
