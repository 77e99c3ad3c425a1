//! A state or a directory that cannot be written, or cannot be reached: it is said clearly, nothing is half there, and
//! the same line finishes as soon as it can.

mod full_disk;
mod in_the_way;
mod read_only;
mod unreachable;
mod way;
mod world;
