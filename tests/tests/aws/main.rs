//! The AWS provider against this package's own AWS: every verb over a real socket, judged by what the server has.

mod conformance;
mod credentials;
mod discard;
mod images;
mod import;
mod info;
mod marketplace;
mod moto;
mod planted;
mod point;
mod policy;
mod preflight;
mod prove;
mod register;
mod replicate;
mod retention;
mod survey;
mod tag;
mod upload;
mod uploads;
mod usage;
mod visibility;
mod world;
