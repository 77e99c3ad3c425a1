//! Parameters of SSM that lead to an image: `/debian/release/bookworm/genericcloud/latest/amd64`.
//!
//! They have the data type `aws:ec2:image`, of which AWS itself checks that the value is an image that the account can
//! use. It does so after it has answered, so a change counts when it reads back:
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html>.

mod name;

use std::time::Duration;

use aws_sdk_ssm::types::{ParameterType, ResourceTypeForTagging, Tag};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::PointerName;
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::{Context, PointRequest};

use crate::error::{classify, code, is_missing};
use crate::guard::ours;
use crate::publisher::Here;
use crate::tags::OWNER;

/// Until AWS has checked the image and the parameter reads back.
const CHECKED: Pace =
    Pace { first: Duration::from_millis(300), longest: Duration::from_secs(15), deadline: Duration::from_secs(300) };

/// Turns in which somebody else makes or removes the parameter under our hands.
const TURNS: u32 = 4;

const DATA_TYPE: &str = "aws:ec2:image";

/// A name that AWS takes for a parameter.
///
/// # Errors
/// [`Kind::InvalidInput`], naming the rule.
pub(crate) fn parameter_name(name: &str) -> Result<PointerName> {
    name::check(name)?;
    PointerName::new(name)
}

/// How a write ended.
enum Written {
    Accepted,
    /// Somebody else was quicker.
    Exists,
}

pub(crate) async fn point(here: &Here, context: &Context, request: &PointRequest) -> Result<()> {
    let name = request.pointer.as_str();
    ours(here, context, &request.at).await?;
    name::check(name)?;
    make(here, context, request).await.map_err(|error| error.with("parameter", name))
}

async fn make(here: &Here, context: &Context, request: &PointRequest) -> Result<()> {
    let name = request.pointer.as_str();
    for _ in 0..TURNS {
        let written = match value(here, context, name).await? {
            Some(value) if value == request.at.id.as_str() => return Ok(()),
            Some(_) => {
                refuse_foreign(here, context, request).await?;
                write(here, context, (request, true)).await?
            }
            None => write(here, context, (request, false)).await?,
        };
        if matches!(written, Written::Accepted) {
            return until_checked(here, context, request).await;
        }
    }
    Err(Error::new(Kind::Conflict, "somebody else makes and removes the parameter again and again")
        .hint("find out who with CloudTrail (`PutParameter`, `DeleteParameter`), then run the same command again"))
}

/// Where the parameter leads now.
async fn value(here: &Here, context: &Context, name: &str) -> Result<Option<String>> {
    match context.or_cancelled(here.clients.ssm.get_parameter().name(name).send()).await? {
        Ok(answer) => Ok(answer.parameter.and_then(|parameter| parameter.value)),
        Err(error) if code(&error).is_some_and(is_missing) => Ok(None),
        Err(error) => Err(classify(&error, "GetParameter")),
    }
}

/// A parameter is ours if it was made with our owner's tag.
async fn refuse_foreign(here: &Here, context: &Context, request: &PointRequest) -> Result<()> {
    let call = here.clients.ssm.list_tags_for_resource().resource_type(ResourceTypeForTagging::Parameter);
    let answer = context.or_cancelled(call.resource_id(request.pointer.as_str()).send()).await?;
    let answer = answer.map_err(|error| classify(&error, "ListTagsForResource"))?;
    let owner = answer.tag_list().iter().find(|tag| tag.key() == OWNER).map(Tag::value);
    if owner == Some(request.at.tags.owner.as_str()) {
        return Ok(());
    }
    Err(Error::new(Kind::NameTaken, "the parameter belongs to somebody else")
        .with("owner", owner.unwrap_or("unknown: it carries no tag of ours"))
        .hint(format!(
            "if it is to be yours, `aws ssm add-tags-to-resource --resource-type Parameter --resource-id {} --tags \
             Key={OWNER},Value={} --region {}`; else change `parameters`",
            request.pointer, request.at.tags.owner, here.region
        )))
}

/// Tags can be given only at the making, and only without permission to overwrite.
async fn write(here: &Here, context: &Context, (request, exists): (&PointRequest, bool)) -> Result<Written> {
    let call = here.clients.ssm.put_parameter().name(request.pointer.as_str()).value(request.at.id.as_str());
    let call = call.r#type(ParameterType::String).data_type(DATA_TYPE);
    let call = if exists {
        call.overwrite(true)
    } else {
        let owner = Tag::builder().key(OWNER).value(request.at.tags.owner.as_str()).build();
        call.tags(owner.map_err(|error| Error::new(Kind::Unexpected, "a tag cannot be made").caused_by(error))?)
    };
    match context.or_cancelled(call.send()).await? {
        Ok(_) => Ok(Written::Accepted),
        Err(error) if code(&error) == Some("ParameterAlreadyExists") => Ok(Written::Exists),
        Err(error) => Err(classify(&error, "PutParameter")),
    }
}

async fn until_checked(here: &Here, context: &Context, request: &PointRequest) -> Result<()> {
    let what = format!("AWS's check of parameter {}", request.pointer);
    let checked = poll_until(context, &what, CHECKED, || async {
        let value = value(here, context, request.pointer.as_str()).await?;
        Ok((value.as_deref() == Some(request.at.id.as_str())).then_some(()))
    });
    checked.await.map_err(|error| {
        if error.kind() != Kind::TimedOut {
            return error;
        }
        error.hint(
            "AWS takes only images that the caller can describe: allow `ec2:DescribeImages`; then run the same command \
             again",
        )
    })
}
