//! What AWS knows of the images' use: the last launch, and who refers to them now.
//!
//! Three sources, none of which sees everything: `lastLaunchedTime` of the image (24 hours late, nothing before 2017:
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-last-launched-time.html>), references of our own account
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-ami-references.html>), and reports of the use by other
//! accounts (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/your-ec2-ami-usage.html>). "Not in use" is said only
//! when both of the latter could be read.

mod others;

use aws_sdk_ec2::types::ImageAttributeName;
use cloud_publish_core::error::{Kind, Result};
use cloud_publish_core::publisher::{Context, ImageAt, Usage};
use futures::stream::{StreamExt, TryStreamExt, iter};
use jiff::Timestamp;

use crate::error::classify;
use crate::guard::ours;
use crate::publisher::{Aws, Here};

/// Images asked about at one time.
const AT_ONCE: usize = 8;

pub(crate) async fn usage(target: &Aws, context: &Context, images: &[ImageAt]) -> Result<Vec<Usage>> {
    let mut questions = Vec::new();
    for at in images {
        let here = target.here(context, &at.region).await?;
        questions.push(one(here, context, at));
    }
    iter(questions).buffered(AT_ONCE).try_collect().await
}

async fn one(here: Here, context: &Context, at: &ImageAt) -> Result<Usage> {
    let silent = Usage { id: at.id.clone(), region: at.region.clone(), in_use: None, last_used: None };
    match ours(&here, context, at).await {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Refused) => return Ok(silent),
        Err(error) => return Err(error),
    }
    let id = at.id.as_str();
    let last_used = told(last_launch(&here, context, id).await)?.flatten();
    let by_us = told(others::referred_to(&here, context, id).await)?;
    let by_others = match by_us {
        Some(true) => None,
        _ => told(others::used_by_others(&here, context, at).await)?,
    };
    let in_use = match (by_us, by_others) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    };
    Ok(Usage { in_use, last_used, ..silent })
}

/// What could not be read is not known; only being stopped, or not being let in at all, ends the question.
fn told<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if matches!(error.kind(), Kind::Cancelled | Kind::Unauthenticated) => Err(error),
        Err(error) => {
            tracing::debug!(%error, "the use of an image cannot be read");
            Ok(None)
        }
    }
}

async fn last_launch(here: &Here, context: &Context, id: &str) -> Result<Option<Timestamp>> {
    let call = here.clients.ec2.describe_image_attribute().image_id(id);
    let call = call.attribute(ImageAttributeName::LastLaunchedTime);
    let answer = context.or_cancelled(call.send()).await?;
    let answer = answer.map_err(|error| classify(&error, "DescribeImageAttribute"))?;
    let text = answer.last_launched_time().and_then(|value| value.value());
    Ok(text.and_then(|text| text.parse().ok()))
}
