//! By which way the bytes go: what the configuration wants, as far as the cloud has it.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::ImageSpec;
use serde_json::{Value, json};

use super::Upload;
use crate::config::{OpenStackConfig, Stores, UploadWay};
use crate::error::classify;
use crate::publisher::OpenStackSettings;

/// How the bytes get to Glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `PUT` into this store, or the default one.
    Put(Option<String>),
    /// Into the staging area, then `glance-direct`.
    Import,
    /// The cloud fetches them from here.
    WebDownload(String),
}

/// The cloud's word for a way to import; `None` for `PUT`.
pub(crate) fn import_method(way: UploadWay) -> Option<&'static str> {
    match way {
        UploadWay::Put => None,
        UploadWay::Import => Some("glance-direct"),
        UploadWay::WebDownload => Some("web-download"),
    }
}

impl Upload<'_> {
    /// The way, asked of the cloud the first time that bytes must be sent.
    pub(super) async fn way(&mut self) -> Result<Way> {
        if let Some(way) = &self.way {
            return Ok(way.clone());
        }
        let config = &self.settings.config;
        let way = match import_method(config.upload) {
            None => put(config),
            Some(method) if self.gave_up_import(None) => {
                let message = format!("the import `{method}` did not work before: sending the bytes by PUT");
                self.context.progress().says(&message);
                put(config)
            }
            Some(method) => {
                let known = self.glance().import_methods().await;
                let known = known.map_err(|error| classify(error, "ask for the ways to import"))?;
                if known.iter().any(|known| known == method) {
                    wanted(self.settings, &self.request.image)?
                } else {
                    self.context
                        .progress()
                        .says(&format!("this cloud has no import `{method}`: sending the bytes by PUT"));
                    put(config)
                }
            }
        };
        self.way = Some(way.clone());
        Ok(way)
    }
}

/// The way that reaches every cloud. It reaches one store only.
pub(super) fn put(config: &OpenStackConfig) -> Way {
    match &config.stores {
        Some(Stores::These(stores)) => Way::Put(stores.first().cloned()),
        Some(Stores::All) | None => Way::Put(None),
    }
}

fn wanted(settings: &OpenStackSettings, image: &ImageSpec) -> Result<Way> {
    match settings.config.upload {
        UploadWay::Put => Ok(put(&settings.config)),
        UploadWay::Import => Ok(Way::Import),
        UploadWay::WebDownload => download_url(settings, image).map(Way::WebDownload),
    }
}

/// Where the cloud is to find an image's file.
///
/// # Errors
/// [`Kind::InvalidInput`] when the template does not give a URL.
pub(crate) fn download_url(settings: &OpenStackSettings, image: &ImageSpec) -> Result<String> {
    let filled = settings.config.web_download_url.as_ref().map(|url| url.fill_for(image, &settings.target));
    let filled = filled.unwrap_or_default();
    match filled.parse::<reqwest::Url>() {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err(Error::new(Kind::InvalidInput, "`web_download_url` has a user in it")
                .hint("the cloud keeps the address and shows it: serve the file to everybody"))
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(filled),
        _ => Err(Error::new(Kind::InvalidInput, format!("`web_download_url` gives `{filled}`, which is no URL"))
            .hint("begin it with https://")),
    }
}

/// What an import is asked for: the method, and the stores, of which each must have the image.
pub(super) fn import_request(config: &OpenStackConfig, method: Value) -> Value {
    match &config.stores {
        None => json!({"method": method}),
        Some(Stores::All) => json!({"method": method, "all_stores": true, "all_stores_must_succeed": true}),
        Some(Stores::These(stores)) => json!({"method": method, "stores": stores, "all_stores_must_succeed": true}),
    }
}
