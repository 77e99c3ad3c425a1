//! Pages about an image, for people.

use std::collections::BTreeMap;

use cloud_publish_core::names::Region;

use crate::regions::partition;

/// The image's page in the region's console. Each partition has a console of its own:
/// <https://docs.aws.amazon.com/general/latest/gr/console-service.html>.
pub(crate) fn links(region: &Region, id: &str) -> BTreeMap<String, String> {
    let host = match partition(region) {
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        "aws-eusc" => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    };
    let page = format!("https://{region}.{host}/ec2/home?region={region}#ImageDetails:imageId={id}");
    BTreeMap::from([("console".to_owned(), page)])
}

#[cfg(test)]
mod tests {
    use super::links;

    #[test]
    fn each_partition_has_its_console() {
        for (region, host) in [
            ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
            ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
            ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
            ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
        ] {
            let page = &links(&region.parse().unwrap(), "ami-1")["console"];
            assert_eq!(*page, format!("https://{host}/ec2/home?region={region}#ImageDetails:imageId=ami-1"));
        }
    }
}
