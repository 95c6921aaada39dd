//! Text of chatbot messages without markup.
//!
//! The export may hold HTML (facts: chatbot export). What goes on is plain text; the text as exported stays beside it.

use ammonia::Builder;

/// The text that a reader of the chat saw: tags gone, line breaks kept, entities resolved.
#[must_use]
pub fn plain(raw: &str) -> String {
    if !raw.contains(['<', '&']) {
        return migration::text::clean(raw);
    }
    let mut broken = String::with_capacity(raw.len());
    // Block ends and breaks are line feeds; the sanitiser would join the words around them.
    let mut rest = raw;
    while let Some(open) = rest.find('<') {
        broken.push_str(&rest[..open]);
        let tail = &rest[open..];
        if starts_line(tail) {
            broken.push('\n');
        }
        broken.push('<');
        rest = &tail[1..];
    }
    broken.push_str(rest);
    let without_tags = Builder::empty().clean(&broken).to_string();
    migration::text::clean(&unescape(&without_tags))
}

fn starts_line(tag: &str) -> bool {
    const BREAKS: [&str; 8] = ["<br", "</p", "</div", "</li", "</tr", "</h1", "</h2", "</h3"];
    let head: String = tag.chars().take(5).collect::<String>().to_ascii_lowercase();
    BREAKS.iter().any(|mark| {
        head.strip_prefix(mark)
            .is_some_and(|after| !after.starts_with(|next: char| next.is_ascii_alphanumeric()))
    })
}

/// What the sanitiser escapes, and nothing else.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(raw: &str, expected: Expect) {
        expected.assert_eq(&plain(raw));
    }

    #[test]
    fn readers_see_the_words_only() {
        check("Hello & welcome, 3 < 4", expect!["Hello & welcome, 3 < 4"]);
        check(
            "<p>One</p><p>Two<br/>Three</p>",
            expect![[r#"
            One
            Two
            Three"#]],
        );
        check("a<script>alert(1)</script><style>x{}</style>b<img src=x onerror=alert(1)>", expect!["ab"]);
        check("5 &lt; 6 &amp;amp; \u{1f600} <b>bold</b>", expect!["5 < 6 &amp; \u{1f600} bold"]);
        check("<a href=\"javascript:alert(1)\">click</a>", expect!["click"]);
        check("<bread> is no break", expect!["is no break"]);
    }

    proptest::proptest! {
        #[test]
        fn text_without_markup_stays(text in "[^<&]*") {
            proptest::prop_assert_eq!(plain(&text), migration::text::clean(&text));
        }
    }
}
