//! The AWS provider against this package's own AWS: every verb over a real socket, judged by what the server has.

mod discard;
mod import;
mod info;
mod marketplace;
mod planted;
mod point;
mod preflight;
mod prove;
mod retention;
mod tag;
mod upload;
mod uploads;
mod usage;
mod visibility;
mod world;
