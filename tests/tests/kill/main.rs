//! The binary killed while it publishes into two real Glance regions, or refused by them: what another OpenStack client
//! then sees is what an undisturbed run leaves, or nothing at all.

mod disturbed;
mod refused;
mod region_down;
mod together;
mod world;
