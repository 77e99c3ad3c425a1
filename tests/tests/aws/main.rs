//! The AWS provider against this package's own AWS: every verb over a real socket, judged by what the server has.

mod discard;
mod images;
mod info;
mod preflight;
mod prove;
mod register;
mod replicate;
mod survey;
mod upload;
mod uploads;
mod world;
