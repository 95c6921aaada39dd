//! Reads: repeated within bounds, since they have no effect; an answer that is no answer is never an empty list.

use std::time::Duration;

use bytes::Bytes;
use migration::gorgias::CustomerId;
use pipeline::ports::gorgias::{Cursor, Customer, PAGE_RECORDS_MAX, Page, Raw, ReadError};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::transport::{Outcome, Request};
use super::wire::{CustomerWire, List, Wire};
use super::{Client, transport::Transport};
use crate::cause::{Cause, looks_like_html};

/// Attempts of one read.
const READ_ATTEMPTS: u32 = 6;
/// First pause after a failed read; doubled each time.
const READ_PAUSE: Duration = Duration::from_millis(500);
/// Merges that follow each other; more is a circle.
const MERGES_MAX: usize = 8;

impl Client {
    /// Sends a read until it has a usable answer, and parses it.
    pub(super) async fn read<T>(
        &self,
        request: &Request,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, ReadError> {
        match self.asked(request, parse).await? {
            Asked::Answered(value) => Ok(value),
            Asked::Moved(_) => Err(ReadError::Unusable {
                request: request.name(),
                why: "a redirect: the record was merged, or the address is wrong".to_owned(),
            }),
        }
    }

    /// As [`Client::read`], and says where a redirect leads.
    async fn asked<T>(
        &self,
        request: &Request,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<Asked<T>, ReadError> {
        let mut last = None;
        for attempt in 0..READ_ATTEMPTS {
            if attempt > 0 {
                self.clock.sleep(READ_PAUSE * 2_u32.pow(attempt - 1)).await;
            }
            match self.transport.send(request).await {
                Outcome::Answer(200..=299, body) => match usable(&body, &parse) {
                    Ok(value) => return Ok(Asked::Answered(value)),
                    Err(why) => last = Some(ReadError::Unusable { request: request.name(), why }),
                },
                Outcome::Answer(status, _) => match refused(request, status) {
                    Some(error) => return Err(error),
                    None => {
                        let cause = Cause::because(format!("status {status}"));
                        last = Some(ReadError::NoAnswer { request: request.name(), source: Box::new(cause) });
                    }
                },
                Outcome::Moved(_, target) => return Ok(Asked::Moved(target)),
                Outcome::NotSent(cause) | Outcome::NoAnswer(cause) => {
                    last = Some(ReadError::NoAnswer { request: request.name(), source: Box::new(cause) });
                }
            }
        }
        Err(last.unwrap_or_else(|| ReadError::Unusable {
            request: request.name(),
            why: "it was never asked".to_owned(),
        }))
    }

    /// One record.
    pub(super) async fn one<W: Wire>(&self, request: &Request) -> Result<Raw<W::Record>, ReadError> {
        self.read(request, |body| record::<W>(text_of(body)?)).await
    }

    /// One customer, or the one that it went into: a merge leaves a redirect behind, and merges can follow each other.
    pub(super) async fn customer_or_target(&self, id: CustomerId) -> Result<Raw<Customer>, ReadError> {
        let mut id = id;
        for _ in 0..=MERGES_MAX {
            let query = vec![("relationships", "custom_fields".to_owned())];
            let request = Request::get("GET /customers/{id}", format!("/customers/{id}"), query);
            let asked = self.asked(&request, |body| record::<CustomerWire>(text_of(body)?)).await?;
            let target = match asked {
                Asked::Answered(customer) => return Ok(customer),
                Asked::Moved(target) => target,
            };
            let number = target.as_deref().and_then(|path| path.strip_prefix("/customers/"));
            id = number.and_then(|number| number.parse().ok()).map(CustomerId).ok_or_else(|| {
                let why = "a redirect that leads to no customer".to_owned();
                ReadError::Unusable { request: request.name(), why }
            })?;
        }
        let why = "customers that were merged lead to each other".to_owned();
        Err(ReadError::Unusable { request: "GET /customers/{id}".to_owned(), why })
    }

    /// One page of a list, in `order` where the list takes one.
    pub(super) async fn page<W: Wire>(
        &self,
        route: &'static str,
        order: Option<&str>,
        cursor: Option<&Cursor>,
        filter: Vec<(&'static str, String)>,
    ) -> Result<Page<W::Record>, ReadError> {
        let mut query = filter;
        query.push(("limit", PAGE_RECORDS_MAX.to_string()));
        if let Some(order) = order {
            query.push(("order_by", order.to_owned()));
        }
        if let Some(cursor) = cursor {
            query.push(("cursor", cursor.0.clone()));
        }
        self.read(&Request::get(route, path_of(route), query), list::<W>).await
    }

    /// The non-paginated `{"data":[…]}`.
    pub(super) async fn all<W: Wire>(&self, route: &'static str) -> Result<Vec<W::Record>, ReadError> {
        let page = self.read(&Request::get(route, path_of(route), Vec::new()), list::<W>).await?;
        Ok(page.records.into_iter().map(|raw| raw.record).collect())
    }

    /// The way out, for the write side.
    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }
}

/// A record from the text of an answer that was kept.
pub(super) fn kept<W: Wire>(text: &str) -> Result<Raw<W::Record>, ReadError> {
    record::<W>(text).map_err(|why| ReadError::Unusable { request: "a kept answer".to_owned(), why })
}

/// What came of a read.
enum Asked<T> {
    Answered(T),
    /// The record is elsewhere: the path that is named, if it stays within the account.
    Moved(Option<String>),
}

fn text_of(body: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(body).map_err(|_| "text that is not UTF-8".to_owned())
}

/// The path of a route without placeholders, such as `/tags` of `GET /tags`.
fn path_of(route: &'static str) -> &'static str {
    route.split_once(' ').map_or(route, |(_, path)| path)
}

fn usable<T>(body: &Bytes, parse: impl Fn(&[u8]) -> Result<T, String>) -> Result<T, String> {
    if looks_like_html(body) {
        return Err("a page for people instead of data".to_owned());
    }
    parse(body)
}

/// Errors that repeating does not help; `None` for those that may pass.
fn refused(request: &Request, status: u16) -> Option<ReadError> {
    let request = request.name();
    match status {
        401 | 403 => Some(ReadError::Credentials { request }),
        404 => Some(ReadError::NotFound { request }),
        408 | 425 | 499 => None,
        400..=498 => Some(ReadError::Refused { request }),
        _ => None,
    }
}

fn record<W: Wire>(text: &str) -> Result<Raw<W::Record>, String> {
    let wire: W = serde_json::from_str(text).map_err(|error| shape(&error))?;
    Ok(Raw { record: wire.into_record()?, json: text.to_owned() })
}

fn list<W: Wire>(body: &[u8]) -> Result<Page<W::Record>, String> {
    let text = text_of(body)?;
    let list: List<'_> = if text.trim_start().starts_with('[') {
        List {
            data: Vec::<&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(text))
                .map_err(|error| shape(&error))?,
            meta: None,
        }
    } else {
        serde_json::from_str(text).map_err(|error| shape(&error))?
    };
    let next = list.meta.and_then(|meta| meta.next_cursor).map(Cursor);
    let records = list.data.iter().map(|raw| record::<W>(raw.get())).collect::<Result<Vec<_>, _>>()?;
    if records.is_empty() && next.is_some() {
        return Err("an empty page with more pages behind it".to_owned());
    }
    Ok(Page { records, next })
}

/// Where a text stopped being what it should be; position and kind only, never the content.
pub(super) fn shape(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "unreadable",
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Data => "of another shape",
        serde_json::error::Category::Eof => "cut off",
    };
    format!("{kind} at line {} column {}", error.line(), error.column())
}
