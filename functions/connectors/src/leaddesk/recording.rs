//! Downloads a recording: asks LeadDesk for its address, judges that, and takes the sound from the other host.
//!
//! The other host gets no credential of ours and no second chance to lead elsewhere: a redirect is an end. What comes is
//! bounded in size and time, and must be sound by its own first bytes. Deliberately absent: keeping an address.

use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use pipeline::ports::leaddesk::{
    FetchedRecording, RECORDING_BYTES_MAX, RECORDING_SECONDS_MAX, RecordingError, Sound, SourceError,
};
use reqwest::Method;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt as _;
use url::Url;

use super::Client;
use super::answer;
use super::command::{Question, Resource};
use super::port::bare_file_name;
use super::recording_address::{NoTarget, Target};
use super::tries::{Tries, Trouble};
use crate::http::{Download, Failure, pause_after};

/// Name of a download in counts and logs.
const ROUTE: &str = "GET recording";
/// Downloads of one recording, each from an address of its own: signed addresses die, hosts restart.
const DOWNLOADS_MAX: u32 = 3;

/// A cause without an address.
#[derive(Debug, thiserror::Error)]
enum NoDownload {
    #[error("the request cannot be built")]
    NotBuilt,
    #[error("the answer ended after {came} of {announced} bytes")]
    Short { came: u64, announced: u64 },
}

impl Client {
    /// Downloads until it is clear whether there is a recording.
    pub(super) async fn fetch_recording(
        &self,
        file_name: &str,
        scratch: &Path,
    ) -> Result<FetchedRecording, RecordingError> {
        let Some(file_name) = bare_file_name(file_name) else { return Err(RecordingError::Gone) };
        let question = Question::Rest(Resource::Recording { file_name: file_name.to_owned() });
        let mut downloads = 1;
        loop {
            let target = self.recording_target(&question).await?;
            match self.download(target, scratch).await {
                Err(error) if downloads < DOWNLOADS_MAX && may_pass(&error) => {
                    self.clock.sleep(pause_after(downloads)).await;
                    downloads += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Where the recording lies now.
    async fn recording_target(&self, question: &Question) -> Result<Target, RecordingError> {
        let location = self.recording_location(question).await?;
        let asked: Url = self.url(question);
        let url = self.recording_hosts.judge(&location, &asked).map_err(RecordingError::Refused)?;
        match self.recording_hosts.locate(url, &*self.resolver).await {
            Ok(target) => Ok(target),
            Err(NoTarget::Refused(fault)) => Err(RecordingError::Refused(fault)),
            Err(NoTarget::Unresolved(cause)) => Err(RecordingError::NoAnswer(Box::new(cause))),
        }
    }

    /// The signed address, as text. Sound instead of an address is not taken: it would come with our token along.
    async fn recording_location(&self, question: &Question) -> Result<String, RecordingError> {
        let mut tries = Tries::new(question.name());
        loop {
            let trouble = match self.try_once(question, &mut tries).await {
                Ok(Ok(answer)) => match answer::location(&answer) {
                    Ok(location) => return Ok(location),
                    Err(why) => Trouble::Unusable(why),
                },
                Err(SourceError::NotFound { .. }) => return Err(RecordingError::Gone),
                Err(error) => return Err(RecordingError::Address(error)),
                Ok(Err(trouble)) => trouble,
            };
            let pause = tries.pause_or_give_up(trouble).map_err(RecordingError::Address)?;
            self.clock.sleep(pause).await;
        }
    }

    async fn download(&self, target: Target, scratch: &Path) -> Result<FetchedRecording, RecordingError> {
        let no_answer = |cause| RecordingError::NoAnswer(cause);
        let client =
            self.http.pinned(&target.host, target.address).map_err(|cause| no_answer(Box::new(cause)))?;
        let bound = Duration::from_secs(RECORDING_SECONDS_MAX);
        let request = client.request(Method::GET, target.url).timeout(bound).build();
        // The builder's error may repeat the address, so it is dropped.
        let request = request.map_err(|_| no_answer(Box::new(NoDownload::NotBuilt)))?;
        let _slot = self.pace.slot().await;
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry(ROUTE.to_owned()).or_default() +=
            1;
        let answer = client.open(request, ROUTE).await.map_err(|failure| match failure {
            Failure::NotSent(cause) | Failure::NoAnswer(cause) => no_answer(Box::new(cause)),
        })?;
        match answer.status() {
            200 => take(answer, scratch).await,
            status @ 300..=399 => Err(RecordingError::Redirected { status }),
            404 | 410 => Err(RecordingError::Gone),
            status => Err(RecordingError::Status { status }),
        }
    }
}

/// Whether a fresh address and another try may help.
fn may_pass(error: &RecordingError) -> bool {
    match error {
        // An address that has died is answered with 401 or 403.
        RecordingError::Status { status } => matches!(status, 401 | 403 | 408 | 429 | 500..),
        RecordingError::NoAnswer(_) => true,
        _ => false,
    }
}

/// Writes the body into a file, as far as it is sound and within its bound.
async fn take(mut answer: Download<'_>, scratch: &Path) -> Result<FetchedRecording, RecordingError> {
    let too_large = || RecordingError::TooLarge { bytes_max: RECORDING_BYTES_MAX };
    let announced = answer.announced();
    if announced.is_some_and(|bytes| bytes > RECORDING_BYTES_MAX) {
        return Err(too_large());
    }
    let staged = tempfile::NamedTempFile::new_in(scratch).map_err(RecordingError::Scratch)?;
    let mut file = tokio::fs::File::from_std(staged.reopen().map_err(RecordingError::Scratch)?);
    let (mut bytes, mut hasher, mut head) = (0_u64, Sha256::new(), Vec::new());
    let mut sound = None;
    while let Some(piece) = answer.piece().await.map_err(|cause| RecordingError::NoAnswer(Box::new(cause)))? {
        bytes += piece.len() as u64;
        if bytes > RECORDING_BYTES_MAX {
            return Err(too_large());
        }
        if sound.is_none() {
            head.extend(piece.iter().take(Sound::HEAD_BYTES - head.len()));
            if head.len() == Sound::HEAD_BYTES {
                // Told as early as possible: the rest of what is no sound is not downloaded.
                sound = Some(Sound::of(&head).ok_or(RecordingError::NotSound)?);
            }
        }
        hasher.update(&piece);
        file.write_all(&piece).await.map_err(RecordingError::Scratch)?;
    }
    file.flush().await.map_err(RecordingError::Scratch)?;
    if let Some(announced) = announced.filter(|announced| *announced != bytes) {
        return Err(RecordingError::NoAnswer(Box::new(NoDownload::Short { came: bytes, announced })));
    }
    let sound = sound.or_else(|| Sound::of(&head)).ok_or(RecordingError::NotSound)?;
    let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(FetchedRecording { path: staged.into_temp_path(), bytes, sha256, sound })
}
