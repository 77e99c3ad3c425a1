//! Use: what AWS says, and nothing where it says nothing.

use cloud_publish_core::publisher::{ImageAt, Publisher as _, Usage};
use serde_json::{Value, json};

use crate::planted::{Planted, ask, context};

async fn usage(planted: &Planted, at: &ImageAt) -> Usage {
    let all = planted.world.target(json!({})).usage(&context(), std::slice::from_ref(at)).await.unwrap();
    let [one] = all.try_into().unwrap();
    one
}

#[tokio::test]
async fn an_image_that_nobody_ever_started_has_no_last_use() {
    let planted = Planted::new();
    let found = usage(&planted, &planted.at).await;
    assert_eq!((found.id.as_str(), found.last_used), (planted.at.id.as_str(), None));
    assert_ne!(found.in_use, Some(true));
}

#[tokio::test]
async fn what_may_not_be_read_is_not_known() {
    let denied: Vec<Value> = ["DescribeImageAttribute", "DescribeImageReferences", "CreateImageUsageReport"]
        .into_iter()
        .map(|name| json!({"action": format!("ec2:{name}")}))
        .collect();
    let planted = Planted::with(json!({}), json!({"denied": denied}));
    let found = usage(&planted, &planted.at).await;
    assert_eq!((found.in_use, found.last_used), (None, None));
}

#[tokio::test]
async fn an_image_of_others_is_not_asked_about() {
    let planted = Planted::new();
    let gone = ImageAt { id: "ami-0123456789abcdef0".parse().unwrap(), ..planted.at.clone() };
    let found = usage(&planted, &gone).await;
    assert_eq!((found.in_use, found.last_used), (None, None));
    assert!(planted.changes().is_empty());
}

#[tokio::test]
async fn a_start_by_another_account_shows_as_use_and_a_second_question_makes_no_second_report() {
    let planted = Planted::new();
    planted.share(json!({}), cloud_publish_core::manifest::Visibility::Public).await.unwrap();
    let id = planted.at.id.as_str();
    let stranger = crate::world::World { account: "222222222222".to_owned(), ..planted.world };
    ask(&stranger, &format!("Action=RunInstances&ImageId={id}&InstanceType=t3.micro&MinCount=1&MaxCount=1"));
    let planted =
        Planted { world: crate::world::World { account: "111111111111".to_owned(), ..stranger }, at: planted.at };
    for _ in 0..2 {
        let found = usage(&planted, &planted.at).await;
        assert_eq!(found.in_use, Some(true));
        assert!(found.last_used.is_some());
    }
    assert_eq!(planted.changes().iter().filter(|name| *name == "CreateImageUsageReport").count(), 1);
}
