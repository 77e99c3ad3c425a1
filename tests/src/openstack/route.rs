//! Names the operation of a request: `/CLOUD/identity/v3/...` is Keystone's, `/CLOUD/image/REGION/v2/...` a Glance's.

use super::call::Service;

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) cloud: String,
    pub(crate) service: Service,
    /// Empty at Keystone.
    pub(crate) region: String,
    pub(crate) operation: &'static str,
    /// What the path names, in its order.
    pub(crate) names: Vec<String>,
}

/// Finds the operation of a path, which is percent-decoded part by part. Nothing: there is no such service.
pub(crate) fn route(method: &str, path: &[String]) -> Option<Route> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let (cloud, service, region, rest) = match path.as_slice() {
        [cloud, "identity", rest @ ..] => (cloud, Service::Identity, "", rest),
        [cloud, "image", region, rest @ ..] => (cloud, Service::Image, *region, rest),
        _ => return None,
    };
    let rest = rest.strip_suffix(&[""]).unwrap_or(rest);
    let (operation, names) = match service {
        Service::Identity => identity(method, rest),
        Service::Image => image(method, rest),
    };
    let names = names.into_iter().map(str::to_owned).collect();
    Some(Route { cloud: (*cloud).to_owned(), service, region: region.to_owned(), operation, names })
}

type Named<'p> = (&'static str, Vec<&'p str>);

fn identity<'p>(method: &str, path: &[&'p str]) -> Named<'p> {
    let named = match (method, path) {
        ("GET", []) => "ListVersions",
        ("GET", ["v3"]) => "ShowVersion",
        ("POST", ["v3", "auth", "tokens"]) => "CreateToken",
        ("GET" | "HEAD", ["v3", "auth", "tokens"]) => "ValidateToken",
        ("DELETE", ["v3", "auth", "tokens"]) => "RevokeToken",
        ("GET", ["v3", "auth", "catalog"]) => "ShowCatalogue",
        ("GET", ["v3", "auth" | "users", .., "projects"]) => "ListOwnProjects",
        ("GET", ["v3", "projects"]) => "ListProjects",
        ("GET", ["v3", "projects", id]) => return ("ShowProject", vec![id]),
        ("GET", ["v3", "users", user, "application_credentials"]) => return ("ListApplicationCredentials", vec![user]),
        ("POST", ["v3", "users", user, "application_credentials"]) => {
            return ("CreateApplicationCredential", vec![user]);
        }
        ("DELETE", ["v3", "users", user, "application_credentials", id]) => {
            return ("DeleteApplicationCredential", vec![user, id]);
        }
        _ => "Unknown",
    };
    (named, Vec::new())
}

/// <https://docs.openstack.org/api-ref/image/v2/>
fn image<'p>(method: &str, path: &[&'p str]) -> Named<'p> {
    let Some((&version, rest)) = path.split_first() else { return ("ListVersions", Vec::new()) };
    match (version, rest) {
        ("versions", []) => ("ShowVersions", Vec::new()),
        ("v2", ["images", rest @ ..]) => images(method, rest),
        ("v2", ["info", what]) if method == "GET" => match *what {
            "import" => ("ShowImportMethods", Vec::new()),
            "stores" => ("ListStores", Vec::new()),
            "usage" => ("ShowUsage", Vec::new()),
            _ => ("Unknown", Vec::new()),
        },
        ("v2", ["stores", store, id]) if method == "DELETE" => ("DeleteFromStore", vec![id, store]),
        ("v2", _) => ("Unknown", Vec::new()),
        _ => ("ListVersions", Vec::new()),
    }
}

fn images<'p>(method: &str, path: &[&'p str]) -> Named<'p> {
    match (method, path) {
        ("GET", []) => ("ListImages", Vec::new()),
        ("POST", []) => ("CreateImage", Vec::new()),
        ("GET", [id]) => ("ShowImage", vec![id]),
        ("PATCH", [id]) => ("UpdateImage", vec![id]),
        ("DELETE", [id]) => ("DeleteImage", vec![id]),
        ("PUT", [id, "file"]) => ("UploadImage", vec![id]),
        ("GET", [id, "file"]) => ("DownloadImage", vec![id]),
        ("PUT", [id, "stage"]) => ("StageImage", vec![id]),
        ("POST", [id, "import"]) => ("ImportImage", vec![id]),
        ("POST", [id, "actions", "deactivate"]) => ("DeactivateImage", vec![id]),
        ("POST", [id, "actions", "reactivate"]) => ("ReactivateImage", vec![id]),
        ("PUT", [id, "tags", tag]) => ("AddTag", vec![id, tag]),
        ("DELETE", [id, "tags", tag]) => ("DeleteTag", vec![id, tag]),
        ("GET", [id, "members"]) => ("ListMembers", vec![id]),
        ("POST", [id, "members"]) => ("AddMember", vec![id]),
        ("GET", [id, "members", member]) => ("ShowMember", vec![id, member]),
        ("PUT", [id, "members", member]) => ("UpdateMember", vec![id, member]),
        ("DELETE", [id, "members", member]) => ("RemoveMember", vec![id, member]),
        _ => ("Unknown", Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Route, route};

    fn found(method: &str, path: &str) -> Option<Route> {
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        route(method, &path)
    }

    #[test]
    fn a_path_names_cloud_region_operation_and_what_it_is_about() {
        let route = found("PUT", "c/image/One/v2/images/i/members/p").unwrap();
        assert_eq!((route.cloud.as_str(), route.region.as_str(), route.operation), ("c", "One", "UpdateMember"));
        assert_eq!(route.names, ["i", "p"]);
    }

    #[test]
    fn a_slash_at_the_end_changes_nothing_and_what_is_unknown_is_said_so() {
        assert_eq!(found("GET", "c/image/One/v2/images/"), found("GET", "c/image/One/v2/images"));
        assert_eq!(found("GET", "c/image/One/v2/schemas/image").unwrap().operation, "Unknown");
        assert_eq!(found("GET", "c/volume/One"), None);
    }
}
