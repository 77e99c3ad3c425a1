//! Parameters: made with our tag, moved only if ours, counted only once AWS has checked them.

use cloud_publish_core::error::{Kind, Result};
use cloud_publish_core::publisher::{ImageAt, PointRequest, Publisher as _};
use serde_json::{Value, json};

use crate::planted::{Planted, context};

const NAME: &str = "/debian/release/bookworm/genericcloud/latest/amd64";

async fn point(planted: &Planted, at: &ImageAt, name: &str) -> Result<()> {
    let request = PointRequest { pointer: name.parse().unwrap(), at: at.clone() };
    planted.world.target(json!({})).point(&context(), &request).await
}

fn parameters(planted: &Planted) -> Vec<Value> {
    planted.world.fake.world.dump()["ssm"]["parameters"].as_array().unwrap().clone()
}

fn writes(planted: &Planted) -> usize {
    planted.changes().iter().filter(|name| *name == "PutParameter").count()
}

/// The same image in a world where somebody else has made the parameter.
fn taken(value: &str, tags: Value) -> Planted {
    let planted = Planted::new();
    let host = planted.world.fake.url.strip_prefix("http://").unwrap().to_owned();
    let body = json!({"Name": NAME, "Value": value, "Type": "String", "Tags": tags}).to_string();
    put(&host, &body);
    planted
}

fn put(host: &str, body: &str) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let signed = "AWS4-HMAC-SHA256 Credential=AKIA111111111111X/20240101/us-east-1/ssm/aws4_request, \
                  SignedHeaders=host, Signature=0";
    let head = "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AmazonSSM.PutParameter\r\nConnection: close";
    let length = body.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nAuthorization: {signed}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_parameter_is_made_with_our_tag_and_a_repetition_writes_nothing() {
    let planted = Planted::new();
    for _ in 0..2 {
        point(&planted, &planted.at, NAME).await.unwrap();
    }
    let [parameter] = parameters(&planted).try_into().unwrap();
    assert_eq!(parameter["value"], json!(planted.at.id));
    assert_eq!(parameter["data_type"], json!("aws:ec2:image"));
    assert_eq!(parameter["tags"], json!({"cloud-publish-owner": "debian"}));
    assert_eq!(writes(&planted), 1);
}

#[tokio::test]
async fn a_parameter_of_ours_moves_and_one_of_others_does_not() {
    let ours = taken("ami-00000000000000000", json!([{"Key": "cloud-publish-owner", "Value": "debian"}]));
    point(&ours, &ours.at, NAME).await.unwrap();
    assert_eq!(parameters(&ours)[0]["value"], json!(ours.at.id));
    for tags in [json!([]), json!([{"Key": "cloud-publish-owner", "Value": "fedora"}])] {
        let foreign = taken("ami-00000000000000000", tags);
        let before = writes(&foreign);
        let refused = point(&foreign, &foreign.at, NAME).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::NameTaken);
        assert!(refused.advice().unwrap().contains("aws ssm add-tags-to-resource"), "{refused:?}");
        assert_eq!(writes(&foreign), before);
    }
}

#[tokio::test]
async fn it_returns_once_the_parameter_leads_there() {
    let planted = Planted::with(json!({}), json!({"delays": {"parameter_validation": 700}}));
    point(&planted, &planted.at, NAME).await.unwrap();
    assert_eq!(parameters(&planted)[0]["value"], json!(planted.at.id));
    assert!(planted.world.asked().iter().filter(|asked| asked.starts_with("ssm:GetParameter")).count() > 2);
}

#[tokio::test]
async fn a_lost_reply_ends_the_same() {
    let planted = Planted::new();
    planted.world.hurt(json!([{"operation": "PutParameter", "what": "lost", "nth": 1}]));
    point(&planted, &planted.at, NAME).await.unwrap();
    let [parameter] = parameters(&planted).try_into().unwrap();
    assert_eq!(parameter["value"], json!(planted.at.id));
}

#[tokio::test]
async fn an_image_that_is_not_ours_and_names_that_aws_refuses_change_nothing() {
    let planted = Planted::new();
    let tags = cloud_publish_core::identity::ImageTags { version: "2".parse().unwrap(), ..planted.at.tags.clone() };
    let other = ImageAt { tags, ..planted.at.clone() };
    assert_eq!(point(&planted, &other, NAME).await.unwrap_err().kind(), Kind::Refused);
    let gone = ImageAt { id: "ami-0123456789abcdef0".parse().unwrap(), ..planted.at.clone() };
    assert_eq!(point(&planted, &gone, NAME).await.unwrap_err().kind(), Kind::NotFound);
    for bad in ["/aws/images", "a b", "/a//b"] {
        assert_eq!(point(&planted, &planted.at, bad).await.unwrap_err().kind(), Kind::InvalidInput, "{bad}");
    }
    assert!(planted.changes().is_empty());
}

#[tokio::test]
async fn an_image_that_aws_may_not_describe_is_told_with_the_missing_permission() {
    let planted = Planted::new();
    // The check fails behind the call: the parameter never shows.
    planted.world.change(json!({"delays": {"parameter_validation": 3_600_000}}));
    let late = point(&planted, &planted.at, NAME).await.unwrap_err();
    assert_eq!(late.kind(), Kind::TimedOut);
    assert!(late.advice().unwrap().contains("ec2:DescribeImages"), "{late:?}");
}
