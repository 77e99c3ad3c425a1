//! The binary killed, disturbed and refused while it publishes into three regions of a fake AWS: what boto3 then finds is
//! what an undisturbed run leaves, or nothing at all. `aws` tests the verbs one by one, without the binary.

mod disturbed;
mod marketplace;
mod noisy;
mod policy;
mod refused;
mod region_down;
mod together;
mod world;
