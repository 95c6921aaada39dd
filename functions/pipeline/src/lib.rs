//! Carries a migration out, step by step, over ports. Modules stand in the order in which data flows.
//!
//! Deliberately absent: HTTP, file systems, AWS (see `connectors`), and decisions (see `migration`).

pub mod cutover; // readiness, freeze     -> last delta, comparison, certificate, package
pub mod delta; // LeadDesk since, ledger, Gorgias now -> what changed written, what people did kept
pub mod discover; // both accounts, files    -> inventory, scope, findings
pub mod estimate; // inventory, samples      -> requests, hours, cost, losses before anything moves
pub mod extract; // LeadDesk, files         -> source snapshot
pub mod finish; // ledger, baseline        -> rules, surveys and webhooks as they were
pub mod handoff; // report, snapshots       -> documents for the customer's admin
pub mod load; // load plan, wave by wave -> Gorgias, ledger
pub mod plan; // desired, baseline       -> load plan with its forecast
pub mod prepare; // confirmed mapping       -> baseline first, then tags, fields, teams; rules paused
pub mod propose; // inventory               -> mapping proposal -> confirmed mapping
pub mod reconcile; // Gorgias read back       -> actual snapshot, differences, verdict
pub mod repair; // wish, ledger, Gorgias now -> what differs written again, what people did kept
pub mod report; // the store               -> report as text, JSON and CSV, control tables
pub mod review; // proposal, answers       -> a file, a workbook, a page; and what comes back
pub mod rollback; // ledger, Gorgias now     -> what was written taken back, or brought again
pub mod transform; // source snapshot         -> desired snapshot, rejects with reasons

pub mod conduct; // what the store shows    -> what comes next
pub mod turns; // turns so far, the store   -> the message to send
pub mod worker; // a message               -> one step done

pub mod approval; // approval, both accounts  -> the mapping, if the approval holds
pub mod archive;
pub mod carried;
pub mod context;
pub mod cost;
pub mod cutovers;
pub mod deletions;
pub mod deltas;
pub mod doctor;
pub mod documents;
pub mod evidence;
pub mod ledger;
pub mod losses;
pub mod mends;
pub mod operator;
pub mod progress;
pub mod readings;
pub mod rehearsal; // the real account         -> what a stand-in has to hold, and what came of it
pub mod repairs;
pub mod residency;
pub mod rollbacks;
pub mod run_folder;
pub mod sample; // a run's decisions         -> a run of its own over a few records that show everything
pub mod source_json;
pub mod spotcheck; // records drawn by seed      -> a page side by side, and what people said of them
pub mod step;
pub mod stop;
pub mod wave;
pub(crate) mod wish;

pub mod conformance;
pub mod ports;

pub(crate) mod boxed;
pub(crate) mod found_rows;
pub(crate) mod hours;
pub(crate) mod listing;
pub(crate) mod merges;
pub(crate) mod numbered;
pub(crate) mod sides;
pub mod sweep;
pub mod trace; // tables, ledger            -> where a record went, why a field holds what it holds

#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
#[cfg(test)]
mod test_world;
#[cfg(any(test, feature = "simulation"))]
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "parts of it serve tests alone"))]
mod testing;
