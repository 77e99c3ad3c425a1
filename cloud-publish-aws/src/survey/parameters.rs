//! Where the wanted parameters lead.
//!
//! A parameter that is not there is left out; one that holds something else than an image's id leads nowhere.

use cloud_publish_core::error::{Error, Result};
use cloud_publish_core::names::{ImageId, PointerName};
use cloud_publish_core::publisher::{Context, Detail};
use cloud_publish_core::survey::FoundPointer;

use crate::error::classify;
use crate::publisher::Here;

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html>
const AT_ONCE: usize = 10;

/// What was read, and why no more.
pub(super) async fn resolve(
    here: &Here,
    context: &Context,
    detail: Option<&Detail>,
) -> (Vec<FoundPointer>, Option<Error>) {
    let names: Vec<&PointerName> = detail.map(|detail| detail.pointers.iter().collect()).unwrap_or_default();
    let mut found = Vec::new();
    for some in names.chunks(AT_ONCE) {
        match ask(here, context, some).await {
            Ok(more) => found.extend(more),
            Err(error) => return (found, Some(error)),
        }
    }
    (found, None)
}

async fn ask(here: &Here, context: &Context, names: &[&PointerName]) -> Result<Vec<FoundPointer>> {
    let names: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
    let call = here.clients.ssm.get_parameters().set_names(Some(names));
    let answer = context.or_cancelled(call.send()).await?.map_err(|error| classify(&error, "GetParameters"))?;
    let read = |parameter: &aws_sdk_ssm::types::Parameter| {
        let name = PointerName::new(parameter.name().unwrap_or_default())?;
        let to = parameter.value().filter(|value| value.starts_with("ami-")).map(ImageId::new).transpose()?;
        Ok(FoundPointer { region: here.region.clone(), name, to })
    };
    answer.parameters().iter().map(read).collect()
}
