//! Files on their way to Gorgias, and as messages name them.
//!
//! One file a request, as a form whose field name becomes the file's label (facts: files). Deliberately absent: public
//! uploads; what a call sounded like is nobody's business outside of the account.

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use pipeline::ports::gorgias::{Attachment, FoundAttachment, NewFile, WriteError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, egress};

/// Route of uploads.
const ROUTE: &str = "POST /upload";

/// A file in an answer.
#[derive(Deserialize)]
pub(super) struct AttachmentWire {
    url: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    size: Option<u64>,
}

impl AttachmentWire {
    fn found(self) -> FoundAttachment {
        FoundAttachment {
            url: self.url,
            name: self.name.unwrap_or_default(),
            content_type: self.content_type.unwrap_or_default(),
            bytes: self.size,
        }
    }
}

/// Files of a message; null when there are none (facts: messages).
pub(super) fn found(files: Option<Vec<AttachmentWire>>) -> Vec<FoundAttachment> {
    files.unwrap_or_default().into_iter().map(AttachmentWire::found).collect()
}

/// As a message names it. Private, as it was uploaded.
pub(super) fn attachment(file: &Attachment) -> Value {
    json!({
        "url": file.url,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.bytes,
        "public": false,
    })
}

impl Client {
    /// Uploads a file. An answer that does not tell a usable address is an end: the same file would be answered alike,
    /// and each try leaves one more copy behind.
    pub(super) async fn upload_file(&self, file: &NewFile) -> Result<Attachment, WriteError> {
        let refused =
            |why: &str| WriteError::Refused { request: ROUTE.to_owned(), status: 0, message: why.to_owned() };
        let form = Form::of(file)
            .ok_or_else(|| refused("stopped before sending: a name or type of a file breaks its form"))?;
        let answer = self.send_form(ROUTE, form.content_type, form.body).await?;
        let files = serde_json::from_slice::<Vec<AttachmentWire>>(&answer).unwrap_or_default();
        let Ok([uploaded]) = <[AttachmentWire; 1]>::try_from(files) else {
            return Err(refused("the answer does not describe one file"));
        };
        let bytes = file.body.len() as u64;
        if uploaded.size.is_some_and(|size| size != bytes) {
            return Err(refused("the answer describes a file of another size"));
        }
        if let Err(why) = egress::checked_address(&uploaded.url) {
            return Err(refused(why));
        }
        // What Gorgias calls the file does not matter: its message names it.
        let (name, content_type) = (file.name.clone(), file.content_type.clone());
        Ok(Attachment { url: uploaded.url, name, content_type, bytes })
    }
}

/// A form with one file (RFC 7578).
struct Form {
    content_type: String,
    body: Bytes,
}

impl Form {
    /// `None` when a text would end its header or its quotes.
    fn of(file: &NewFile) -> Option<Self> {
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !plain(&file.name, "._-") || !plain(&file.content_type, "/.+-") {
            return None;
        }
        let boundary = boundary(&file.body);
        let mut head = String::new();
        let name = &file.name;
        write!(
            head,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
             Content-Type: {}\r\n\r\n",
            file.content_type
        )
        .ok()?;
        let tail = format!("\r\n--{boundary}--\r\n");
        let mut body = BytesMut::with_capacity(head.len() + file.body.len() + tail.len());
        body.put_slice(head.as_bytes());
        body.put_slice(&file.body);
        body.put_slice(tail.as_bytes());
        Some(Self { content_type: format!("multipart/form-data; boundary={boundary}"), body: body.freeze() })
    }
}

/// A line that the content does not hold; the same for the same content.
fn boundary(body: &[u8]) -> String {
    let mut number = 0_u32;
    loop {
        let boundary = format!("deskferry-{number:08}");
        if !body.windows(boundary.len()).any(|part| part == boundary.as_bytes()) {
            return boundary;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content_type: &str, body: &'static [u8]) -> NewFile {
        NewFile {
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            body: Bytes::from_static(body),
        }
    }

    #[test]
    fn a_form_holds_one_file_and_no_text_breaks_out() {
        let form = Form::of(&file("call-9.mp3", "audio/mpeg", b"ID3")).unwrap();
        assert_eq!(form.content_type, "multipart/form-data; boundary=deskferry-00000000");
        assert_eq!(
            String::from_utf8_lossy(&form.body),
            "--deskferry-00000000\r\nContent-Disposition: form-data; name=\"call-9.mp3\"; \
             filename=\"call-9.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\nID3\r\n--deskferry-00000000--\r\n"
        );
        let awkward = Form::of(&file("a.mp3", "audio/mpeg", b"\r\n--deskferry-00000000--\r\n")).unwrap();
        assert!(awkward.content_type.ends_with("deskferry-00000001"));
        for (name, kind) in
            [("a\"b", "audio/mpeg"), ("a\r\nX: y", "audio/mpeg"), ("", "audio/mpeg"), ("a", "a\r\nb")]
        {
            assert!(Form::of(&file(name, kind, b"x")).is_none(), "{name:?} {kind:?}");
        }
    }
}
