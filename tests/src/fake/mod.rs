//! What the fakes of clouds have in common: a socket, faults by rule, a log, and small tools. Knows no cloud.

mod ca;
mod fault;
mod json;
mod log;
mod reply;
mod server;
mod text;

pub use ca::Ca;
pub(crate) use fault::{Faults, Subject};
pub use fault::{Rule, What};
pub(crate) use json::merge;
pub use log::Exposure;
pub(crate) use log::Log;
pub(crate) use reply::Reply;
pub(crate) use server::{Cut, Received, Server};
pub(crate) use text::glob;
