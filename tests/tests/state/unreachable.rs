//! A state in a bucket that cannot be reached.

use std::net::TcpListener;

use cloud_publish_tests::moto::Moto;
use cloud_publish_tests::site::{RELEASE, Ran};

use crate::way::Way;
use crate::world::{World, is_whole};

fn publish(world: &World, endpoint: &str) -> Ran {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_REGION", "us-east-1"),
    ];
    world.run(&format!("--release {RELEASE} --to local --no-progress"), &variables)
}

fn refused(ran: &Ran) {
    assert!(ran.err.contains("the state"), "{}", ran.err);
    assert!(ran.err.contains("hint: when the state store works again, run the same command again"), "{}", ran.err);
}

#[test]
fn a_store_that_refuses_connections_stops_the_run_before_anything_is_made() {
    let world = World::new("s3://state/debian", "public");
    // Bound and dropped: nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    refused(&publish(&world, &format!("http://{closed}")).expect(2));
    assert!(!world.path("public").exists() && !world.path("public.work").exists());
}

#[test]
fn a_store_that_never_answers_stops_the_run_before_anything_is_made() {
    let world = World::new("s3://state/debian", "public");
    // Connections are made by the kernel; nobody ever takes them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    refused(&publish(&world, &format!("http://{}", silent.local_addr().unwrap())).expect(2));
    assert!(!world.path("public").exists() && !world.path("public.work").exists());
}

#[test]
#[ignore = "needs the server that tests/run installs"]
fn a_store_that_goes_away_in_the_middle_is_said_and_the_same_line_finishes_when_it_is_back() {
    let server = Moto::start();
    let mut requests = 1;
    loop {
        let bucket = format!("state{requests}");
        server.bucket(&bucket);
        let world = World::new(&format!("s3://{bucket}/debian"), "public");
        let way = Way::to(server.port());
        way.cut_after(requests);
        let ran = publish(&world, &way.url());
        is_whole(&world.path("public"));
        if ran.code == Some(0) {
            assert!(requests > 8, "a whole run made {requests} requests");
            break;
        }
        assert!(matches!(ran.code, Some(1 | 2)), "{:?}\n{}", ran.code, ran.err);
        refused(&ran);
        way.mend();
        publish(&world, &way.url()).expect(0);
        assert!(is_whole(&world.path("public")));
        assert!(publish(&world, &way.url()).expect(0).err.contains("nothing to do"));
        requests += requests / 2 + 1;
    }
}
