//! A LeadDesk that must not be asked: nothing after extraction may need it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::leaddesk::{
    FetchedRecording, LeadDesk, ListItem, PhoneHistory, RecordingError, RestPage, SourceError,
};

pub(crate) struct NoSource;

fn nothing<T>(request: &str) -> Result<T, SourceError> {
    Err(SourceError::NotAllowed { request: request.to_owned() })
}

#[async_trait]
impl LeadDesk for NoSource {
    async fn lists(&self) -> Result<Vec<ListItem>, SourceError> {
        nothing("calling_list/list")
    }
    async fn list_export(&self, _list_id: &str) -> Result<Bytes, SourceError> {
        nothing("calling_list/export")
    }
    async fn contact(&self, _contact_id: &str) -> Result<String, SourceError> {
        nothing("contact/get")
    }
    async fn call(&self, _call_id: &str) -> Result<String, SourceError> {
        nothing("call/get")
    }
    async fn users(&self, _page: u32) -> Result<RestPage, SourceError> {
        nothing("/users")
    }
    async fn campaigns(&self, _page: u32) -> Result<RestPage, SourceError> {
        nothing("/campaigns")
    }
    async fn phone_history(&self, _phone: &str) -> Result<PhoneHistory, SourceError> {
        nothing("/gdpr/contact")
    }
    async fn recording_exists(&self, _file_name: &str) -> Result<bool, SourceError> {
        nothing("recording")
    }
    async fn recording(
        &self,
        _file_name: &str,
        _scratch: &std::path::Path,
    ) -> Result<FetchedRecording, RecordingError> {
        nothing("recording").map_err(RecordingError::Address)
    }
    fn requests(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}
