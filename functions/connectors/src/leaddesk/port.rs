//! The port, question by question.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;

use async_trait::async_trait;
use bytes::Bytes;
use pipeline::ports::leaddesk::{
    FetchedRecording, LeadDesk, ListItem, PhoneHistory, RecordingError, RestPage, SourceError,
};

use super::command::{Command, Question, Resource};
use super::tries::{Tries, Trouble};
use super::{Client, answer};

#[async_trait]
impl LeadDesk for Client {
    async fn lists(&self) -> Result<Vec<ListItem>, SourceError> {
        self.ask(&Question::Original(Command::Lists), answer::lists).await
    }

    async fn list_export(&self, list_id: &str) -> Result<Bytes, SourceError> {
        let question = Question::Original(Command::ListExport { list_id: list_id.to_owned() });
        self.ask(&question, answer::export).await
    }

    async fn contact(&self, contact_id: &str) -> Result<String, SourceError> {
        let question = Question::Original(Command::Contact { contact_id: contact_id.to_owned() });
        self.ask(&question, |body| answer::contact(body, contact_id)).await
    }

    async fn call(&self, call_id: &str) -> Result<String, SourceError> {
        let question = Question::Original(Command::Call { call_id: call_id.to_owned() });
        self.ask(&question, |body| answer::call(body, call_id)).await
    }

    async fn users(&self, page: u32) -> Result<RestPage, SourceError> {
        let question = Question::Rest(Resource::Users { page });
        self.ask(&question, |body| answer::rest_page(body, page)).await
    }

    async fn campaigns(&self, page: u32) -> Result<RestPage, SourceError> {
        let question = Question::Rest(Resource::Campaigns { page });
        self.ask(&question, |body| answer::rest_page(body, page)).await
    }

    async fn phone_history(&self, phone: &str) -> Result<PhoneHistory, SourceError> {
        let question = Question::Rest(Resource::PhoneHistory { phone: phone.to_owned() });
        self.ask(&question, answer::phone_history).await
    }

    /// Asks for the signed address and does not follow it: the address is another host's, and short-lived (facts:
    /// pitfalls). 404 is normal: a call's row may outlive its recording.
    async fn recording_exists(&self, file_name: &str) -> Result<bool, SourceError> {
        let Some(file_name) = bare_file_name(file_name) else { return Ok(false) };
        let question = Question::Rest(Resource::Recording { file_name: file_name.to_owned() });
        let mut tries = Tries::new(question.name());
        loop {
            let trouble = match self.try_once(&question, &mut tries).await {
                Ok(Ok(answer)) => match answer::recording_fault(&answer) {
                    None => return Ok(true),
                    Some(why) => Trouble::Unusable(why),
                },
                Err(SourceError::NotFound { .. }) => return Ok(false),
                Err(error) => return Err(error),
                Ok(Err(trouble)) => trouble,
            };
            let pause = tries.pause_or_give_up(trouble)?;
            self.clock.sleep(pause).await;
        }
    }

    async fn recording(&self, file_name: &str, scratch: &Path) -> Result<FetchedRecording, RecordingError> {
        self.fetch_recording(file_name, scratch).await
    }

    fn requests(&self) -> BTreeMap<String, u64> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The file's name: calls hold a name or a whole address (facts: call record). What is no name asks nothing.
pub(super) fn bare_file_name(text: &str) -> Option<&str> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    (!matches!(name, "" | "." | "..")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_named_by_its_file() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(bare_file_name(text), expected, "{text}");
        check("2024_a.wav.mp3", Some("2024_a.wav.mp3"));
        check("https://rec.example/x/2024_a.wav.mp3?signature=s", Some("2024_a.wav.mp3"));
        check("a b.mp3", Some("a b.mp3"));
        check("", None);
        check("..", None);
        check("https://rec.example/", None);
    }
}
