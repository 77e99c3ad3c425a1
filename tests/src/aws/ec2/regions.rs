//! Which regions an account has.

use crate::aws::reply::{Outcome, Refused};

use super::request::Request;
use super::state::State;

const FILTERS: &[&str] = &["endpoint", "opt-in-status", "region-name"];

/// Without `AllRegions`, and unless they are named, regions that are not enabled are left out.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>
pub(super) fn describe(_state: &mut State, request: &Request<'_>) -> Outcome {
    let filters = request.filters(FILTERS)?;
    let names = request.list("RegionName");
    let settings = &request.settings;
    if let Some(unknown) = names.iter().find(|name| settings.opt_in(request.account(), name).is_none()) {
        let message = format!("Invalid region name {unknown}");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    let all = request.flag("AllRegions")?;
    let suffix = if request.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let regions = settings.regions.keys().filter_map(|name| {
        let opt_in = settings.opt_in(request.account(), name)?;
        let is_wanted = if names.is_empty() { all || opt_in.is_enabled() } else { names.contains(&name.as_str()) };
        let endpoint = format!("ec2.{name}.{suffix}");
        let passes = filters.iter().all(|filter| match filter.name.as_str() {
            "endpoint" => filter.accepts(&endpoint),
            "opt-in-status" => filter.accepts(opt_in.name()),
            _ => filter.accepts(name),
        });
        (is_wanted && passes).then_some((name, endpoint, opt_in.name()))
    });
    request.answer(|xml| {
        xml.list("regionInfo", regions, |xml, (name, endpoint, opt_in)| {
            xml.text("regionName", name).text("regionEndpoint", endpoint).text("optInStatus", opt_in);
        });
    })
}
