//! Whole migrations between the twins, over HTTP on loopback, in one process: what is promised, and what must be noticed.
//!
//! Every world is made from a seed. Waiting happens only where the twin's bucket asks for it, and its clock runs fast.

mod all_rows;
mod delta;
mod evening;
mod faults;
mod named;
mod reading;
mod recordings;
mod repair;
mod rollback;
mod sample;
mod world;
mod wrong_byte;
