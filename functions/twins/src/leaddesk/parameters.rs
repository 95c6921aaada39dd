//! Parameters of a request: from the query, and for POST from a form, where the query wins.
//!
//! Deliberately absent: repeated parameters. No documented command takes any, so a repetition is an error of its name.

use std::borrow::Cow;

/// The parameters, each name once.
#[derive(Debug, Default)]
pub(crate) struct Parameters<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    repeated: Option<Cow<'a, str>>,
}

impl<'a> Parameters<'a> {
    /// Reads the query and, if there is one, a form. Repetitions within either are remembered, not resolved.
    pub(crate) fn read(query: &'a str, form: Option<&'a [u8]>) -> Self {
        let mut parameters = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            parameters.add(name, value);
        }
        let in_query = parameters.pairs.len();
        for (name, value) in url::form_urlencoded::parse(form.unwrap_or_default()) {
            if !parameters.pairs[..in_query].iter().any(|(known, _)| *known == name) {
                parameters.add(name, value);
            }
        }
        parameters
    }

    fn add(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        if self.pairs.iter().any(|(known, _)| *known == name) {
            self.repeated.get_or_insert(name);
        } else {
            self.pairs.push((name, value));
        }
    }

    /// The value of a name; an empty value counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
            .filter(|value| !value.is_empty())
    }

    /// The first name that stands twice, is not among `known`, or has no value.
    pub(crate) fn first_wrong(&self, known: &[&str]) -> Option<&str> {
        let wrong = self
            .pairs
            .iter()
            .find(|(name, value)| !known.contains(&&**name) || value.is_empty())
            .map(|(name, _)| &**name);
        self.repeated.as_deref().or(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_wins_over_form() {
        let parameters = Parameters::read("mod=contact&phone=%2B358", Some(b"mod=call&cmd=get"));
        assert_eq!(parameters.get("mod"), Some("contact"));
        assert_eq!(parameters.get("cmd"), Some("get"));
        assert_eq!(parameters.get("phone"), Some("+358"));
        assert_eq!(parameters.first_wrong(&["mod", "cmd", "phone"]), None);
    }

    #[test]
    fn wrong_names_are_found() {
        let first_wrong =
            |query: &'static str| Parameters::read(query, None).first_wrong(&["a", "b"]).map(str::to_owned);
        assert_eq!(first_wrong("a=1&b=2"), None);
        assert_eq!(first_wrong("a=1&c=2").as_deref(), Some("c"));
        assert_eq!(first_wrong("a=1&a=1").as_deref(), Some("a"));
        assert_eq!(first_wrong("a=1&b=").as_deref(), Some("b"));
    }

    #[test]
    fn an_unescaped_plus_is_a_space() {
        assert_eq!(Parameters::read("phone=+358", None).get("phone"), Some(" 358"));
    }
}
