//! Strict reading of query strings, and the pages that lists are cut into.
//!
//! Pages are keyset pages: the cursor names the last row seen by sort value and id, so rows inserted before it are
//! not seen again and none is skipped (facts: pagination). Deliberately absent: offsets, which the API dropped.

use std::collections::BTreeSet;
use std::ops::Bound;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::answer::Answered;
use super::clock::Instant;
use super::reading::Problems;

/// Rows on a page when the client names no number (facts: pagination).
const LIMIT_DEFAULT: usize = 30;
/// Most rows on a page (facts: pagination).
const LIMIT_MAX: usize = 100;

/// A query string, read parameter by parameter; what nobody asked for is a mistake.
#[derive(Debug)]
pub(crate) struct Query<'p> {
    pairs: Vec<(String, String)>,
    problems: &'p Problems,
}

impl<'p> Query<'p> {
    pub(crate) fn new(raw: &str, problems: &'p Problems) -> Self {
        let pairs = form_urlencoded::parse(raw.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { pairs, problems }
    }

    pub(crate) fn problem(&self, name: &str, message: impl Into<String>) {
        self.problems.add(name, message);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(given, _)| given == name)
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        self.pairs.retain_mut(|(given, value)| {
            let wanted = given == name;
            if wanted {
                texts.push(std::mem::take(value));
            }
            !wanted
        });
        texts
    }

    /// The value of a parameter that may stand once.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let mut texts = self.texts(name);
        if texts.len() > 1 {
            self.problem(name, "May be given once only.");
        }
        texts.pop()
    }

    fn read<T>(&mut self, name: &str, wanted: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.problem(name, format!("Not a valid {wanted}."));
        }
        value
    }

    pub(crate) fn id(&mut self, name: &str) -> Option<u64> {
        self.read(name, "integer", |text| text.parse().ok())
    }

    pub(crate) fn boolean(&mut self, name: &str) -> Option<bool> {
        self.read(name, "boolean", |text| match text {
            "true" | "True" | "1" => Some(true),
            "false" | "False" | "0" => Some(false),
            _ => None,
        })
    }

    pub(crate) fn instant(&mut self, name: &str) -> Option<Instant> {
        self.read(name, "datetime (ISO-8601 with offset)", Instant::parse)
    }

    pub(crate) fn word(&mut self, name: &str, allowed: &[&'static str]) -> Option<&'static str> {
        let text = self.text(name)?;
        let word = allowed.iter().find(|word| **word == text).copied();
        if word.is_none() {
            self.problem(name, format!("Must be one of: {}.", allowed.join(", ")));
        }
        word
    }

    pub(crate) fn ids(&mut self, name: &str, at_most: usize) -> Option<Vec<u64>> {
        let texts = self.texts(name);
        if texts.is_empty() {
            return None;
        }
        if texts.len() > at_most {
            self.problem(name, format!("Longer than maximum length {at_most}."));
        }
        let ids: Option<Vec<u64>> = texts.iter().map(|text| text.parse().ok()).collect();
        if ids.is_none() {
            self.problem(name, "Not a valid integer.");
        }
        ids
    }

    /// `cursor`, `limit` and `order_by`; the first of `orders` holds when none is named.
    pub(crate) fn page(&mut self, orders: &[Order], now: Instant, cursor_life: Option<f64>) -> Page {
        self.page_of(orders, LIMIT_DEFAULT, now, cursor_life)
    }

    pub(crate) fn page_of(
        &mut self,
        orders: &[Order],
        limit_default: usize,
        now: Instant,
        cursor_life: Option<f64>,
    ) -> Page {
        let limit = self.read("limit", "integer between 1 and 100", |text| {
            text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
        });
        let first = orders.first().copied().unwrap_or(Order { name: "id:asc", descending: false });
        let mut order = first;
        if let Some(name) = self.text("order_by") {
            match orders.iter().find(|order| order.name == name) {
                Some(found) => order = *found,
                None => {
                    let names: Vec<_> = orders.iter().map(|order| order.name).collect();
                    self.problem("order_by", format!("Must be one of: {}.", names.join(", ")));
                }
            }
        }
        let position = self.text("cursor").and_then(|text| {
            let cursor = Cursor::decode(&text).filter(|cursor| cursor.order == order.name);
            match cursor {
                None => {
                    self.problem("cursor", "Invalid cursor.");
                    None
                }
                Some(cursor) if cursor.is_stale(now, cursor_life) => {
                    self.problem("cursor", "Expired cursor.");
                    None
                }
                Some(cursor) => Some(cursor),
            }
        });
        Page { limit: limit.unwrap_or(limit_default), order, position, now }
    }

    /// Notes every parameter that nobody asked for, and refuses if any mistake was found.
    pub(crate) fn end(self) -> Answered<()> {
        for (name, _) in &self.pairs {
            self.problems.unknown(name);
        }
        self.problems.check()
    }
}

/// One way to sort a list: its name on the wire, and whether it runs downwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) name: &'static str,
    pub(crate) descending: bool,
}

/// `name` runs downwards when it ends so.
pub(crate) const fn order(name: &'static str) -> Order {
    let bytes = name.as_bytes();
    // Ends with "desc" or "asc", hence the last but two letter tells: "e" or "a".
    Order { name, descending: bytes[bytes.len() - 3] == b'e' }
}

pub(crate) const BY_CREATED: [Order; 2] = [order("created_datetime:desc"), order("created_datetime:asc")];
pub(crate) const BY_CREATED_OR_UPDATED: [Order; 4] = [
    order("created_datetime:desc"),
    order("created_datetime:asc"),
    order("updated_datetime:desc"),
    order("updated_datetime:asc"),
];

/// The sort value of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum SortValue {
    Number(i64),
    Text(String),
}

/// A row's place in a list.
pub(crate) type Place = (SortValue, u64);

/// Where a page begins: beyond `place`, in the direction of the list or against it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    #[serde(rename = "d")]
    backwards: bool,
    #[serde(rename = "p")]
    place: Place,
    #[serde(rename = "o")]
    order: String,
    /// UTC microseconds of issue, so that a cursor can be made to expire.
    #[serde(rename = "t")]
    issued: i64,
}

impl Cursor {
    fn encode(&self) -> String {
        let json = serde_json::to_vec(self).expect("a cursor is plain text and numbers");
        URL_SAFE_NO_PAD.encode(json)
    }

    fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    fn is_stale(&self, now: Instant, life_seconds: Option<f64>) -> bool {
        life_seconds.is_some_and(|life| now > Instant(self.issued).plus_seconds(life))
    }
}

/// Which rows of a list are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) order: Order,
    position: Option<Cursor>,
    now: Instant,
}

/// The rows of one page in list order, and the cursors to its neighbours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slice {
    pub(crate) ids: Vec<u64>,
    pub(crate) prev_cursor: Option<String>,
    pub(crate) next_cursor: Option<String>,
}

impl Page {
    /// The attribute that the list is sorted by, without the direction.
    pub(crate) fn attribute(&self) -> &'static str {
        self.order.name.split(':').next().unwrap_or_default()
    }

    /// Id of the row beyond which the page begins.
    pub(crate) fn beyond(&self) -> Option<u64> {
        self.position.as_ref().map(|cursor| cursor.place.1)
    }

    /// Whether rows are read from the greatest sort value to the least.
    pub(crate) fn downwards(&self) -> bool {
        self.order.descending != self.backwards()
    }

    fn backwards(&self) -> bool {
        self.position.as_ref().is_some_and(|cursor| cursor.backwards)
    }

    /// Cuts the page out of rows in any order.
    pub(crate) fn of_rows(&self, mut rows: Vec<Place>) -> Slice {
        rows.sort_unstable();
        let downwards = self.downwards();
        if downwards {
            rows.reverse();
        }
        let beyond = rows.into_iter().filter(|place| {
            self.position
                .as_ref()
                .is_none_or(|cursor| if downwards { *place < cursor.place } else { *place > cursor.place })
        });
        self.slice(beyond)
    }

    /// Cuts the page out of a sorted index, reading no more of it than the page needs.
    pub(crate) fn of_index(&self, index: &BTreeSet<(Instant, u64)>, keep: impl Fn(u64) -> bool) -> Slice {
        let place = |(instant, id): &(Instant, u64)| (SortValue::Number(instant.0), *id);
        let mark = self.position.as_ref().and_then(|cursor| match cursor.place {
            (SortValue::Number(number), id) => Some((Instant(number), id)),
            (SortValue::Text(_), _) => None,
        });
        let mark = mark.map_or(Bound::Unbounded, Bound::Excluded);
        if self.downwards() {
            let rows = index.range((Bound::Unbounded, mark)).rev();
            return self.slice(rows.filter(|(_, id)| keep(*id)).map(place));
        }
        let rows = index.range((mark, Bound::Unbounded));
        self.slice(rows.filter(|(_, id)| keep(*id)).map(place))
    }

    /// Takes the page from rows that already begin beyond the position, in reading direction.
    pub(crate) fn slice(&self, mut rows: impl Iterator<Item = Place>) -> Slice {
        let mut page: Vec<Place> = rows.by_ref().take(self.limit).collect();
        let more = rows.next().is_some();
        let backwards = self.backwards();
        if backwards {
            page.reverse();
        }
        let (before, after) = if backwards { (more, true) } else { (self.position.is_some(), more) };
        let cursor = |backwards: bool, place: Option<&Place>| {
            let place = place?.clone();
            let cursor = Cursor { backwards, place, order: self.order.name.to_owned(), issued: self.now.0 };
            Some(cursor.encode())
        };
        Slice {
            prev_cursor: cursor(true, page.first()).filter(|_| before),
            next_cursor: cursor(false, page.last()).filter(|_| after),
            ids: page.into_iter().map(|(_, id)| id).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(raw: &str, now: i64, life: Option<f64>) -> Result<Page, String> {
        let problems = Problems::new(true);
        let mut query = Query::new(raw, &problems);
        let page = query.page(&BY_CREATED, Instant(now), life);
        query.end().map_err(|refusal| refusal.message)?;
        Ok(page)
    }

    fn index(rows: &[(i64, u64)]) -> BTreeSet<(Instant, u64)> {
        rows.iter().map(|(instant, id)| (Instant(*instant), *id)).collect()
    }

    fn walk(order: &str, index: &BTreeSet<(Instant, u64)>) -> Vec<u64> {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let found = page(&format!("order_by={order}&limit=2{cursor}"), 0, None).unwrap();
            let slice = found.of_index(index, |_| true);
            let rows = index.iter().map(|(at, id)| (SortValue::Number(at.0), *id)).collect();
            assert_eq!(slice, found.of_rows(rows), "both ways of cutting agree");
            seen.extend(slice.ids);
            match slice.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return seen,
            }
        }
    }

    #[test]
    fn walking_sees_every_row_once_in_order() {
        let index = index(&[(10, 1), (10, 2), (20, 3), (5, 9), (30, 4), (30, 5), (31, 6)]);
        assert_eq!(walk("created_datetime:asc", &index), [9, 1, 2, 3, 4, 5, 6]);
        assert_eq!(walk("created_datetime:desc", &index), [6, 5, 4, 3, 2, 1, 9]);
    }

    #[test]
    fn rows_inserted_before_the_position_are_not_seen() {
        let mut rows = index(&[(10, 1), (20, 2), (30, 3), (40, 4)]);
        let first = page("limit=2", 0, None).unwrap().of_index(&rows, |_| true);
        assert_eq!(first.ids, [4, 3]);
        rows.insert((Instant(50), 5));
        rows.remove(&(Instant(30), 3));
        let next = page(&format!("limit=2&cursor={}", first.next_cursor.unwrap()), 0, None).unwrap();
        let second = next.of_index(&rows, |_| true);
        assert_eq!((second.ids.as_slice(), second.next_cursor), ([2, 1].as_slice(), None));
    }

    #[test]
    fn walking_back_returns_the_page_before() {
        let rows = index(&[(10, 1), (20, 2), (30, 3), (40, 4), (50, 5)]);
        let first = page("limit=2", 0, None).unwrap().of_index(&rows, |_| true);
        let second = page(&format!("limit=2&cursor={}", first.next_cursor.unwrap()), 0, None)
            .unwrap()
            .of_index(&rows, |_| true);
        assert_eq!(second.ids, [3, 2]);
        let back = page(&format!("limit=2&cursor={}", second.prev_cursor.unwrap()), 0, None)
            .unwrap()
            .of_index(&rows, |_| true);
        assert_eq!((back.ids.as_slice(), back.prev_cursor), ([5, 4].as_slice(), None));
        assert!(back.next_cursor.is_some());
    }

    #[test]
    fn mistakes_in_parameters_are_named() {
        let check = |raw: &str, message: &str| {
            assert_eq!(page(raw, 0, None).map(|_| ()).unwrap_err(), message, "{raw}");
        };
        check("limit=0", "limit: Not a valid integer between 1 and 100.");
        check("limit=101", "limit: Not a valid integer between 1 and 100.");
        check("limit=ten", "limit: Not a valid integer between 1 and 100.");
        check("order_by=name", "order_by: Must be one of: created_datetime:desc, created_datetime:asc.");
        check("cursor=bogus", "cursor: Invalid cursor.");
        check("page=2", "page: Unknown field.");
        check("limit=1&limit=2", "limit: May be given once only.");
    }

    #[test]
    fn cursors_expire_when_told_to_and_keep_their_order() {
        let rows = index(&[(10, 1), (20, 2)]);
        let cursor = page("limit=1", 0, None).unwrap().of_index(&rows, |_| true).next_cursor.unwrap();
        let again = |order: &str, now| {
            page(&format!("limit=1&order_by={order}&cursor={cursor}"), now, Some(60.0)).map(|_| ())
        };
        assert_eq!(again("created_datetime:desc", 60_000_000), Ok(()));
        assert_eq!(again("created_datetime:desc", 60_000_001).unwrap_err(), "cursor: Expired cursor.");
        assert_eq!(again("created_datetime:asc", 0).unwrap_err(), "cursor: Invalid cursor.");
    }
}
