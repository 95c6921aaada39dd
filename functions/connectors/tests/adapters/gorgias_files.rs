//! Uploads over loopback, and the attachments that name them.

use bytes::Bytes;
use pipeline::ports::gorgias::{Attachment, FoundAttachment, Gorgias as _, NewFile, NewMessage, WriteError};
use twins::gorgias::Action;

use super::desk::{Desk, note, ticket, with};

fn recording(body: &'static [u8]) -> NewFile {
    NewFile {
        name: "call-9.mp3".to_owned(),
        content_type: "audio/mpeg".to_owned(),
        body: Bytes::from_static(body),
    }
}

#[tokio::test]
async fn a_file_is_uploaded_and_hangs_on_its_message_as_it_was_answered() {
    let desk = Desk::quiet().await;
    // Content that would end a careless form.
    let uploaded =
        desk.client.upload(&recording(b"ID3\r\n--deskferry-00000000--\r\n\x00\xff")).await.unwrap();
    assert_eq!((uploaded.name.as_str(), uploaded.bytes), ("call-9.mp3", 31));
    assert!(uploaded.url.contains("/api/attachment/download/"), "{} is not private", uploaded.url);
    let (author, customer) = (desk.service_user().await, desk.customer(1).await);
    let message =
        NewMessage { attachments: vec![uploaded.clone()], ..note("9", author, "2025-01-01T09:00:00Z") };
    let id = desk.client.create_ticket(&ticket(1, customer, vec![message])).await.unwrap();
    let appended = NewMessage {
        attachments: vec![uploaded.clone(), uploaded.clone()],
        ..note("10", author, "2025-01-01T10:00:00Z")
    };
    desk.client.append_message(id, &appended).await.unwrap();
    let bare = note("11", author, "2025-01-01T11:00:00Z");
    desk.client.append_message(id, &bare).await.unwrap();
    let page = desk.client.ticket_messages(id, None).await.unwrap();
    let mut found: Vec<_> = page.records.into_iter().map(|raw| raw.record).collect();
    found.sort_by_key(|message| message.sent_at);
    let counts: Vec<usize> = found.iter().map(|message| message.attachments.len()).collect();
    assert_eq!(counts, [1, 2, 0]);
    let Attachment { url, name, content_type, bytes } = uploaded;
    assert_eq!(found[0].attachments, [FoundAttachment { url, name, content_type, bytes: Some(bytes) }]);
    desk.nothing_left_the_account();
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_a_lost_answer_is_a_doubt() {
    let desk = Desk::open(with(|switches| switches.upload_bytes_max = 2_000), "1000000/1").await;
    let refused = desk.client.upload(&recording(&[0; 2_001])).await.unwrap_err();
    assert!(matches!(refused, WriteError::Refused { status: 413, .. }), "{refused:?}");
    desk.strike("POST", "/upload", 1, Action::LostAnswerAfterCommit);
    let lost = desk.client.upload(&recording(b"ID3 ok")).await.unwrap_err();
    assert!(matches!(lost, WriteError::InDoubt { .. }), "{lost:?}");
    assert_eq!(desk.asked("POST /api/upload"), 2, "an upload was repeated by the client itself");
    let broken = NewFile { name: "a\"\r\nX: y".to_owned(), ..recording(b"ID3") };
    let stopped = desk.client.upload(&broken).await.unwrap_err();
    assert!(matches!(stopped, WriteError::Refused { status: 0, .. }), "{stopped:?}");
}

#[tokio::test]
async fn an_address_with_a_key_or_of_another_kind_never_leaves() {
    let desk = Desk::quiet().await;
    let (author, customer) = (desk.service_user().await, desk.customer(1).await);
    for url in [
        "https://rec-1.leaddesk.com/a.mp3?expires=1&signature=s",
        "https://user:key@acme.gorgias.com/api/attachment/download/a/b",
        "http://acme.gorgias.com/api/attachment/download/a/b",
        "no address",
    ] {
        let attachment = Attachment {
            url: url.to_owned(),
            name: "call-9.mp3".to_owned(),
            content_type: "audio/mpeg".to_owned(),
            bytes: 3,
        };
        let message =
            NewMessage { attachments: vec![attachment], ..note("9", author, "2025-01-01T09:00:00Z") };
        let stopped = desk.client.create_ticket(&ticket(1, customer, vec![message])).await.unwrap_err();
        assert!(matches!(stopped, WriteError::Refused { status: 0, .. }), "{url}: {stopped:?}");
    }
    assert_eq!(desk.asked("POST /api/tickets"), 0);
}
