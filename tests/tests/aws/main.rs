//! The AWS provider against this package's own AWS: every verb over a real socket, judged by what the server has.

mod conformance;
mod credentials;
mod discard;
mod info;
mod preflight;
mod prove;
mod upload;
mod uploads;
mod world;
