//! The whole data flow, from manifest to catalogue, on clouds in memory: what a rerun, a crash, a fault or a second
//! publisher leave behind.

mod judge;
mod world;

mod approval;
mod changing;
mod crash;
mod failure;
mod gate;
mod packed;
mod rerun;
mod together;
