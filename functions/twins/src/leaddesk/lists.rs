//! Collections of the REST API: pages, their bounds, and how they move under the reader.
//!
//! Deliberately absent: cursors. The vendor's sample counts pages from 1 (facts).

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde::Serialize;

use crate::leaddesk::answer::Answer;
use crate::leaddesk::config::PageShift;
use crate::leaddesk::parameters::Parameters;

const PER_PAGE_MAX: u32 = 100;
const PER_PAGE_DEFAULT: u32 = 20;

/// Names of the paging parameters; `limit` is another name of `per_page`.
pub(crate) const PAGING: [&str; 3] = ["page", "per_page", "limit"];

/// A bad parameter, by name.
pub(crate) struct BadParameter(pub(crate) String);

impl From<BadParameter> for Answer {
    fn from(bad: BadParameter) -> Self {
        Self::rest_error(
            400,
            "bad_parameter",
            &format!("parameter {} is not allowed or has a bad value", bad.0),
        )
    }
}

/// Which page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) number: u32,
    pub(crate) size: u32,
}

impl Page {
    /// Reads the paging parameters; `others` may stand beside them.
    pub(crate) fn read(parameters: &Parameters<'_>, others: &[&str]) -> Result<Self, BadParameter> {
        let allowed: Vec<&str> = PAGING.iter().chain(others).copied().collect();
        if let Some(wrong) = parameters.first_wrong(&allowed) {
            return Err(BadParameter(wrong.to_owned()));
        }
        let number = |name: &str, default: u32, most: u32| match parameters.get(name) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(number) if (1..=most).contains(&number) => Ok(number),
                _ => Err(BadParameter(name.to_owned())),
            },
        };
        let size = match (parameters.get("per_page"), parameters.get("limit")) {
            (Some(_), Some(_)) => return Err(BadParameter("limit".to_owned())),
            (None, Some(_)) => number("limit", PER_PAGE_DEFAULT, PER_PAGE_MAX)?,
            _ => number("per_page", PER_PAGE_DEFAULT, PER_PAGE_MAX)?,
        };
        Ok(Self { number: number("page", 1, u32::MAX)?, size })
    }

    fn skipped(self) -> usize {
        (self.number as usize - 1).saturating_mul(self.size as usize)
    }
}

/// Remembers of which collections the first page has been answered.
#[derive(Debug, Default)]
pub(crate) struct Shifts(Mutex<BTreeSet<&'static str>>);

impl Shifts {
    /// How many records at the front of a collection are hidden from this answer.
    pub(crate) fn hidden(&self, knob: PageShift, collection: &'static str, page: Page) -> usize {
        if knob == PageShift::None {
            return 0;
        }
        let mut begun = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = begun.contains(collection);
        if page.number == 1 {
            begun.insert(collection);
        }
        match knob {
            PageShift::Removal => usize::from(before),
            PageShift::Insertion => usize::from(!before),
            PageShift::None => 0,
        }
    }
}

#[derive(Serialize)]
struct Collection<T> {
    #[serde(rename = "_meta")]
    meta: Meta,
    collection: Vec<T>,
}

#[derive(Serialize)]
struct Meta {
    count: usize,
    page: u32,
    per_page: u32,
}

/// One page of records that are counted and ordered already; beyond the end it is empty. Records are only made for the
/// page itself.
pub(crate) fn paged<K, T: Serialize>(
    page: Page,
    hidden: usize,
    keys: impl ExactSizeIterator<Item = K>,
    record: impl Fn(K) -> T,
) -> Answer {
    let count = keys.len().saturating_sub(hidden);
    let keys = keys.skip(hidden.saturating_add(page.skipped())).take(page.size as usize);
    let collection = keys.map(record).collect();
    Answer::json(&Collection { meta: Meta { count, page: page.number, per_page: page.size }, collection })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<Page, String> {
        Page::read(&Parameters::read(query, None), &[]).map_err(|bad| bad.0)
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(page(""), Ok(Page { number: 1, size: 20 }));
        assert_eq!(page("page=3&per_page=100"), Ok(Page { number: 3, size: 100 }));
        assert_eq!(page("limit=7"), Ok(Page { number: 1, size: 7 }));
        for (query, name) in [
            ("page=0", "page"),
            ("page=x", "page"),
            ("page=-1", "page"),
            ("per_page=0", "per_page"),
            ("per_page=101", "per_page"),
            ("limit=101", "limit"),
            ("limit=5&per_page=5", "limit"),
            ("page=", "page"),
            ("page=1&page=2", "page"),
            ("offset=1", "offset"),
        ] {
            assert_eq!(page(query), Err(name.to_owned()), "{query}");
        }
    }

    #[test]
    fn collections_shift_once_after_their_first_page() {
        let (first, second) = (Page { number: 1, size: 2 }, Page { number: 2, size: 2 });
        let shifts = Shifts::default();
        let hidden = |page| shifts.hidden(PageShift::Removal, "users", page);
        assert_eq!([hidden(first), hidden(second), hidden(first)], [0, 1, 1]);
        let shifts = Shifts::default();
        let hidden = |page| shifts.hidden(PageShift::Insertion, "users", page);
        assert_eq!([hidden(first), hidden(second), hidden(first)], [1, 0, 0]);
        assert_eq!(shifts.hidden(PageShift::Insertion, "campaigns", second), 1);
    }
}
