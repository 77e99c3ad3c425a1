//! A state in a bucket that cannot be reached.

use std::net::TcpListener;

use cloud_publish_tests::site::{RELEASE, Ran};

use crate::world::World;

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
