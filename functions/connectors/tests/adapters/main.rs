//! The adapters as a whole: the suites of their ports, the two systems' stand-ins over loopback, and what may never show.
//!
//! The modules are marked as tests so that lints treat their helpers as such.

#[cfg(test)]
mod canary;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod faulty_objects;
#[cfg(test)]
mod gorgias_doubt;
#[cfg(test)]
mod gorgias_files;
#[cfg(test)]
mod gorgias_lists;
mod gorgias_mending;
#[cfg(test)]
mod gorgias_rate;
#[cfg(test)]
mod gorgias_records;
#[cfg(test)]
mod leaddesk_faults;
#[cfg(test)]
mod leaddesk_reads;
#[cfg(test)]
mod leaddesk_recordings;
#[cfg(test)]
mod leaddesk_token;
#[cfg(test)]
mod mutants;
#[cfg(test)]
mod suggester;
#[cfg(test)]
mod visit;
