//! Finds the code that an error of the crates below has, by what stands in its chain of causes.

use std::error::Error;
use std::io;

use pipeline::approval::ApprovalError;
use pipeline::archive::ArchiveError;
use pipeline::documents;
use pipeline::estimate::EstimateError;
use pipeline::extract::ExtractError;
use pipeline::finish::FinishError;
use pipeline::ledger::LedgerError;
use pipeline::ledger::driver::DriveError;
use pipeline::load::LoadError;
use pipeline::losses::LossError;
use pipeline::ports::gorgias::{ReadError, WriteError};
use pipeline::ports::leaddesk::SourceError;
use pipeline::ports::queue::QueueError;
use pipeline::ports::store::StoreError;
use pipeline::prepare::PrepareError;
use pipeline::propose::ConfirmError;
use pipeline::readings::ReadingError;
use pipeline::reconcile::ReconcileError;
use pipeline::residency::ResidencyError;
use pipeline::review::ReviewError;
use pipeline::run_folder;
use pipeline::sample::SampleError;
use pipeline::stop::Stopped;
use pipeline::worker::StepError;
use snapshot::SnapshotError;

use connectors::connect::ConnectError;

use super::Failure;
use super::catalogue::{self, Entry};

/// The innermost cause of ours decides: it says what really happened, the ones around it say where. A bare system error
/// decides only when nothing of ours knows better what it means.
pub(super) fn diagnose(error: &(dyn Error + 'static)) -> Failure {
    let mut known = None;
    let mut system = None;
    let mut detail = None;
    let mut findings = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        known = entry_of(cause).or(known);
        detail = detail.or_else(|| detail_of(cause));
        findings.extend(findings_of(cause));
        system = cause.is::<io::Error>().then_some(&catalogue::LOCAL_FILES).or(system);
        next = cause.source();
    }
    let entry = known.or(system).unwrap_or(&catalogue::UNEXPECTED);
    let mut failure = Failure::new(entry, error.to_string()).because_of_source(error);
    for finding in findings {
        failure = failure.with_why(finding);
    }
    if let Some(is_prepared) = stale(error) {
        failure = after_stale(failure, is_prepared);
    }
    match detail {
        Some(detail) => failure.detail(detail),
        None => failure,
    }
}

/// Whether the run was prepared for the mapping whose approval does not hold any more; nothing when this is another error.
fn stale(error: &(dyn Error + 'static)) -> Option<bool> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(ApprovalError::Stale { is_prepared, .. }) = cause.downcast_ref() {
            return Some(*is_prepared);
        }
        next = cause.source();
    }
    None
}

/// What to do when an approval does not hold any more.
pub(crate) fn after_stale(failure: Failure, is_prepared: bool) -> Failure {
    if is_prepared {
        failure
            .fix(
                "put back what was changed; or begin another run, which looks at both accounts again and goes on with \
                 everything that is written: deskferry discover --run YYYY-MM-DD-x1, then deskferry map approve",
            )
            .then("deskferry status")
    } else {
        failure
            .fix(
                "put it back, or approve the mapping as it is now; when an account has changed, begin another run first: \
                 deskferry discover --run YYYY-MM-DD-x1",
            )
            .then("deskferry map review")
    }
}

/// The code that reports use for it, which says more than ours where we only say what kind of thing went wrong.
fn detail_of(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<StepError>() {
        return Some(error.code());
    }
    if let Some(error) = error.downcast_ref::<EstimateError>() {
        return Some(error.code().to_owned());
    }
    if let Some(error) = error.downcast_ref::<ReviewError>() {
        return Some(error.code().to_owned());
    }
    if let Some(error) = loss_of(error) {
        return Some(error.code().to_owned());
    }
    error.downcast_ref::<ConfirmError>().map(|error| error.code().to_owned())
}

/// A step carries it in a box of its own.
fn loss_of<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e LossError> {
    error.downcast_ref().or_else(|| error.downcast_ref::<Box<LossError>>().map(AsRef::as_ref))
}

/// What has to be settled first, one by one.
fn findings_of(error: &(dyn Error + 'static)) -> Vec<String> {
    if let Some(PrepareError::Refused { findings, .. }) = error.downcast_ref::<PrepareError>() {
        return findings.iter().map(|finding| format!("{} {}", finding.code, finding.text)).collect();
    }
    if let Some(LossError::Over { over }) = loss_of(error) {
        return over.iter().map(ToString::to_string).collect();
    }
    match error.downcast_ref::<ConfirmError>() {
        Some(ConfirmError::Open { conflicts }) => {
            conflicts.iter().map(|conflict| format!("{}: {}", conflict.id, conflict.leave.reason)).collect()
        }
        _ => Vec::new(),
    }
}

fn entry_of(error: &(dyn Error + 'static)) -> Option<&'static Entry> {
    port_entry(error).or_else(|| step_entry(error)).or_else(|| stored_entry(error))
}

/// What the two systems, the store and the queue said.
fn port_entry(error: &(dyn Error + 'static)) -> Option<&'static Entry> {
    if let Some(error) = error.downcast_ref::<SourceError>() {
        return Some(of_source(error));
    }
    if let Some(error) = error.downcast_ref::<ReadError>() {
        return Some(of_read(error));
    }
    if let Some(error) = error.downcast_ref::<WriteError>() {
        return Some(of_write(error));
    }
    if let Some(ConnectError::WithoutAws { .. }) = error.downcast_ref::<ConnectError>() {
        return Some(&catalogue::WITHOUT_AWS);
    }
    if error.is::<Stopped>() {
        return Some(&catalogue::INTERRUPTED);
    }
    (error.is::<StoreError>() || error.is::<QueueError>()).then_some(&catalogue::STORE)
}

/// What the steps found.
fn step_entry(error: &(dyn Error + 'static)) -> Option<&'static Entry> {
    if let Some(error) = error.downcast_ref::<ConfirmError>() {
        return of_confirmation(error);
    }
    if let Some(error) = error.downcast_ref::<ApprovalError>() {
        return matches!(error, ApprovalError::Stale { .. } | ApprovalError::Unsealed)
            .then_some(&catalogue::STALE);
    }
    if let Some(error) = error.downcast_ref::<ReviewError>() {
        return match error {
            ReviewError::Refused { .. } => Some(&catalogue::MAPPING_FILE),
            ReviewError::Reviewer(_) => Some(&catalogue::BAD_ARGUMENT),
            _ => None,
        };
    }
    if let Some(error) = error.downcast_ref::<DriveError>() {
        return of_drive(error);
    }
    if let Some(error) = error.downcast_ref::<ExtractError>() {
        return of_extraction(error);
    }
    if let Some(error) = error.downcast_ref::<LoadError>() {
        return match error {
            LoadError::NotPrepared | LoadError::NotLoaded { .. } => Some(&catalogue::OUT_OF_ORDER),
            LoadError::OtherAccount { .. } => Some(&catalogue::STALE),
            LoadError::Closed { .. } => Some(&catalogue::BAD_VERDICT),
            LoadError::RollbackOpen { .. } | LoadError::TakenBack { .. } => Some(&catalogue::ROLLBACK_PHASE),
            _ => None,
        };
    }
    if let Some(error) = error.downcast_ref::<ResidencyError>() {
        return match error {
            ResidencyError::Open(_) => Some(&catalogue::RESIDENCY),
            ResidencyError::Document(_) => None,
            _ => Some(&catalogue::BAD_ARGUMENT),
        };
    }
    if matches!(loss_of(error), Some(LossError::Over { .. })) {
        return Some(&catalogue::OVER_BUDGET);
    }
    if matches!(error.downcast_ref(), Some(SampleError::OnlySample { .. })) {
        return Some(&catalogue::ONLY_SAMPLE);
    }
    if matches!(error.downcast_ref(), Some(PrepareError::Refused { .. })) {
        return Some(&catalogue::NOT_ACCEPTED);
    }
    if matches!(error.downcast_ref(), Some(ReconcileError::NotLoaded { .. })) {
        return Some(&catalogue::OUT_OF_ORDER);
    }
    matches!(error.downcast_ref(), Some(FinishError::NotRestored { .. })).then_some(&catalogue::NOT_RESTORED)
}

/// What is wrong with something stored.
fn stored_entry(error: &(dyn Error + 'static)) -> Option<&'static Entry> {
    if let Some(error) = error.downcast_ref::<documents::DocumentError>() {
        return match error {
            documents::DocumentError::Missing { step: "confirm", .. } => Some(&catalogue::NOT_CONFIRMED),
            documents::DocumentError::Missing { .. } => Some(&catalogue::OUT_OF_ORDER),
            documents::DocumentError::Changed(_) => Some(&catalogue::STALE),
            documents::DocumentError::Store(_) | documents::DocumentError::Key(_) => None,
            _ => Some(&catalogue::DAMAGED),
        };
    }
    if let Some(error) = error.downcast_ref::<run_folder::DocumentError>() {
        return match error {
            run_folder::DocumentError::Missing { .. } => Some(&catalogue::OUT_OF_ORDER),
            run_folder::DocumentError::Unreadable { .. } => Some(&catalogue::DAMAGED),
            _ => None,
        };
    }
    if let Some(error) = error.downcast_ref::<ArchiveError>() {
        return match error {
            ArchiveError::Missing { .. } => Some(&catalogue::OUT_OF_ORDER),
            ArchiveError::NotRepeatable { .. } | ArchiveError::Misplaced { .. } => Some(&catalogue::DAMAGED),
            _ => None,
        };
    }
    if error.is::<LedgerError>() {
        return Some(&catalogue::LEDGER);
    }
    if matches!(error.downcast_ref(), Some(ReadingError::Damaged { .. })) {
        return Some(&catalogue::DAMAGED);
    }
    error.is::<SnapshotError>().then_some(&catalogue::DAMAGED)
}

fn of_confirmation(error: &ConfirmError) -> Option<&'static Entry> {
    match error {
        ConfirmError::Reviewer(_) => Some(&catalogue::BAD_ARGUMENT),
        ConfirmError::OtherProposal { .. } | ConfirmError::AlreadyConfirmed => Some(&catalogue::STALE),
        ConfirmError::Settle(_) | ConfirmError::Open { .. } => Some(&catalogue::OPEN_CONFLICTS),
        ConfirmError::NotAccepted { .. } => Some(&catalogue::NOT_ACCEPTED),
        ConfirmError::Propose(_)
        | ConfirmError::Document(_)
        | ConfirmError::Residency(_)
        | ConfirmError::Losses(_)
        | ConfirmError::Approval(_) => None,
    }
}

fn of_drive(error: &DriveError) -> Option<&'static Entry> {
    match error {
        DriveError::Credentials { .. } => Some(&catalogue::GORGIAS_CREDENTIALS),
        DriveError::Breaker { .. } | DriveError::Outgoing { .. } => Some(&catalogue::STOPPED),
        DriveError::Stopped => Some(&catalogue::INTERRUPTED),
        DriveError::Unreachable { .. } => Some(&catalogue::GORGIAS_NO_ANSWER),
        DriveError::Ledger(_) | DriveError::Work(_) => None,
    }
}

fn of_extraction(error: &ExtractError) -> Option<&'static Entry> {
    match error {
        ExtractError::CountDiffers { .. }
        | ExtractError::ItemShape { .. }
        | ExtractError::Drift { .. }
        | ExtractError::Export { .. } => Some(&catalogue::LEADDESK_UNUSABLE),
        ExtractError::Operator(_) | ExtractError::FileChanged { .. } => Some(&catalogue::OPERATOR_FILE),
        ExtractError::StoredPage { .. } | ExtractError::NotRepeatable { .. } => Some(&catalogue::DAMAGED),
        _ => None,
    }
}

fn of_source(error: &SourceError) -> &'static Entry {
    match error {
        SourceError::Credentials { .. } => &catalogue::LEADDESK_CREDENTIALS,
        SourceError::NotAllowed { .. } => &catalogue::LEADDESK_NOT_ALLOWED,
        SourceError::NotFound { .. } | SourceError::Refused { .. } => &catalogue::LEADDESK_REFUSED,
        SourceError::Unusable { .. } => &catalogue::LEADDESK_UNUSABLE,
        SourceError::NoAnswer { .. } => &catalogue::LEADDESK_NO_ANSWER,
    }
}

fn of_read(error: &ReadError) -> &'static Entry {
    match error {
        ReadError::Credentials { .. } => &catalogue::GORGIAS_CREDENTIALS,
        ReadError::NotFound { .. } | ReadError::Refused { .. } => &catalogue::GORGIAS_REFUSED,
        ReadError::Unusable { .. } => &catalogue::GORGIAS_UNUSABLE,
        ReadError::NoAnswer { .. } => &catalogue::GORGIAS_NO_ANSWER,
    }
}

fn of_write(error: &WriteError) -> &'static Entry {
    match error {
        WriteError::Credentials { .. } => &catalogue::GORGIAS_CREDENTIALS,
        WriteError::Refused { .. } | WriteError::Conflict { .. } | WriteError::Gone { .. } => {
            &catalogue::GORGIAS_REFUSED
        }
        WriteError::InDoubt { .. } => &catalogue::GORGIAS_IN_DOUBT,
        WriteError::NotSent { .. } => &catalogue::GORGIAS_NO_ANSWER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot extract {part}")]
    struct Outer<S: Error + 'static> {
        part: &'static str,
        source: S,
    }

    fn check(error: impl Error + 'static, code: &str) {
        let request = error.to_string();
        let failure = diagnose(&Outer { part: "lists", source: error });
        assert_eq!(failure.code(), code, "{request}");
        assert!(failure.to_text().contains(&request), "{}", failure.to_text());
    }

    #[test]
    fn every_kind_has_its_code() {
        let request = || "calling_list/list".to_owned();
        let cause = || Box::new(io::Error::other("reset"));
        check(SourceError::Credentials { request: request() }, "E0201");
        check(SourceError::NotAllowed { request: request() }, "E0202");
        check(SourceError::Unusable { request: request(), why: "it is HTML".to_owned() }, "E0402");
        check(ReadError::Credentials { request: request() }, "E0203");
        check(ReadError::Unusable { request: request(), why: "it is HTML".to_owned() }, "E0413");
        check(WriteError::InDoubt { request: request(), source: None }, "E0414");
        check(WriteError::Refused { request: request(), status: 400, message: "no".to_owned() }, "E0412");
        check(Stopped, "E0702");
        check(DriveError::Stopped, "E0702");
        check(QueueError::ReceiptExpired, "E0601");
        check(LossError::Over { over: Vec::new() }, "E0520");
        check(LoadError::Losses(Box::new(LossError::Over { over: Vec::new() })), "E0520");
        check(io::Error::other("disk full"), "E0302");
        assert_eq!(diagnose(&Outer { part: "x", source: std::fmt::Error }).code(), "E0901");
        // A network error is an io::Error at its root, and still LeadDesk is what did not answer.
        check(SourceError::NoAnswer { request: request(), source: cause() }, "E0401");
    }
}
