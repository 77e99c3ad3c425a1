use super::super::FormatChoice;
use super::rig::local_with;
use crate::conformance::{Fixture, run_all};
use crate::publisher::Publisher;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_conforms() {
    conforms(&[FormatChoice::AsIs]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_of_several_formats_conforms_with_each_of_them() {
    use FormatChoice::{Qcow2, Raw, Vhd};
    for formats in [[Raw, Qcow2, Vhd], [Qcow2, Vhd, Raw], [Vhd, Raw, Qcow2]] {
        conforms(&formats).await;
    }
}

/// Images are made in the first of the formats.
async fn conforms(formats: &[FormatChoice]) {
    let dir = tempfile::tempdir().unwrap();
    let (top, wanted) = (dir.path().to_owned(), formats.to_vec());
    let fixture = Fixture::new("debian".parse().unwrap(), "r1", dir.path(), move || {
        let fresh: Box<dyn Publisher> = Box::new(local_with(&top, &wanted));
        Box::pin(async move { Ok(fresh) })
    });
    let fixture = fixture.unwrap().with_shortfall(
        "visibility_can_be_taken_back",
        "who has mirrored a directory has it: a published image is retired instead",
    );
    let report = run_all(&local_with(dir.path(), formats), &fixture).await.unwrap();
    assert!(report.is_success(), "{report}");
}
