//! Which request goes where: the table of all endpoints, and what an endpoint is handed.
//!
//! Deliberately absent: authentication, rate limit and faults; the server settles those before it comes here.

use bytes::Bytes;
use serde_json::Value;

use super::answer::{Answer, Answered, Refusal};
use super::state::State;
use super::{
    account, customer_values, customers, customers_merge, events, fields, integrations, jobs, macros,
    messages, reporting, rules, search, surveys, tags, teams, ticket_parts, tickets, tickets_create, uploads,
    users, views, voice,
};

/// A request that has passed the gate, with its path taken apart.
#[derive(Debug)]
pub(crate) struct Call {
    /// Path without a closing slash.
    pub(crate) path: String,
    /// Query string as it came.
    pub(crate) query: String,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
    /// Parts of the path that the route leaves open, in order.
    pub(crate) parts: Vec<String>,
}

impl Call {
    /// The open part at `position` as an id; routes hand out only what they have checked to be a number.
    pub(crate) fn id(&self, position: usize) -> u64 {
        self.parts.get(position).and_then(|part| part.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn part(&self, position: usize) -> &str {
        self.parts.get(position).map(String::as_str).unwrap_or_default()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Answered<Value> {
        if self.body.is_empty() {
            return Err(Refusal::bad_request("A JSON body is required."));
        }
        if !self.content_type.starts_with("application/json") {
            return Err(Refusal::new(415, "Content-Type must be application/json."));
        }
        serde_json::from_slice(&self.body).map_err(|_| Refusal::bad_request("The body is not valid JSON."))
    }

    /// The list's own address, as list answers repeat it.
    pub(crate) fn uri(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

type Run = fn(&mut State, &Call) -> Answered<Answer>;

/// One endpoint.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// Path with `{id}` for a number and `{name}` for any text.
    pub(crate) template: &'static str,
    pub(crate) run: Run,
}

const fn get(template: &'static str, run: Run) -> Route {
    Route { method: "GET", template, run }
}

const fn post(template: &'static str, run: Run) -> Route {
    Route { method: "POST", template, run }
}

const fn put(template: &'static str, run: Run) -> Route {
    Route { method: "PUT", template, run }
}

const fn delete(template: &'static str, run: Run) -> Route {
    Route { method: "DELETE", template, run }
}

/// All endpoints. Where two templates fit a path, the earlier one wins.
pub(crate) static ROUTES: &[Route] = &[
    get("/api/tickets", tickets::index),
    post("/api/tickets", tickets_create::create),
    get("/api/tickets/{id}", tickets::show),
    put("/api/tickets/{id}", tickets::update),
    delete("/api/tickets/{id}", tickets::destroy),
    get("/api/tickets/{id}/messages", messages::of_ticket),
    post("/api/tickets/{id}/messages", messages::create),
    get("/api/tickets/{id}/messages/{id}", messages::show),
    put("/api/tickets/{id}/messages/{id}", messages::update),
    delete("/api/tickets/{id}/messages/{id}", messages::destroy),
    get("/api/tickets/{id}/tags", ticket_parts::tags),
    post("/api/tickets/{id}/tags", ticket_parts::add_tags),
    put("/api/tickets/{id}/tags", ticket_parts::set_tags),
    delete("/api/tickets/{id}/tags", ticket_parts::remove_tags),
    get("/api/tickets/{id}/custom-fields", ticket_parts::values),
    put("/api/tickets/{id}/custom-fields", ticket_parts::set_values),
    put("/api/tickets/{id}/custom-fields/{id}", ticket_parts::set_value),
    delete("/api/tickets/{id}/custom-fields/{id}", ticket_parts::remove_value),
    get("/api/messages", messages::index),
    get("/api/customers", customers::index),
    post("/api/customers", customers::create),
    delete("/api/customers", customers::destroy_many),
    put("/api/customers/merge", customers_merge::merge),
    get("/api/customers/{id}", customers::show),
    put("/api/customers/{id}", customers::update),
    delete("/api/customers/{id}", customers::destroy),
    put("/api/customers/{id}/data", customer_values::set_data),
    get("/api/customers/{id}/custom-fields", customer_values::values),
    put("/api/customers/{id}/custom-fields", customer_values::set_values),
    put("/api/customers/{id}/custom-fields/{id}", customer_values::set_value),
    delete("/api/customers/{id}/custom-fields/{id}", customer_values::remove_value),
    get("/api/users", users::index),
    post("/api/users", users::create),
    get("/api/users/{id}", users::show),
    put("/api/users/{id}", users::update),
    delete("/api/users/{id}", users::destroy),
    get("/api/teams", teams::index),
    post("/api/teams", teams::create),
    get("/api/teams/{id}", teams::show),
    put("/api/teams/{id}", teams::update),
    delete("/api/teams/{id}", teams::destroy),
    get("/api/tags", tags::index),
    post("/api/tags", tags::create),
    delete("/api/tags", tags::destroy_many),
    get("/api/tags/{id}", tags::show),
    put("/api/tags/{id}", tags::update),
    delete("/api/tags/{id}", tags::destroy),
    put("/api/tags/{id}/merge", tags::merge),
    get("/api/custom-fields", fields::index),
    post("/api/custom-fields", fields::create),
    put("/api/custom-fields", fields::update_many),
    get("/api/custom-fields/{id}", fields::show),
    put("/api/custom-fields/{id}", fields::update),
    get("/api/account", account::show),
    get("/api/account/settings", account::settings),
    post("/api/account/settings", account::create_setting),
    put("/api/account/settings/{id}", account::update_setting),
    get("/api/events", events::index),
    get("/api/events/{id}", events::show),
    get("/api/rules", rules::index),
    post("/api/rules", rules::create),
    post("/api/rules/priorities", rules::set_priorities),
    get("/api/rules/{id}", rules::show),
    put("/api/rules/{id}", rules::update),
    delete("/api/rules/{id}", rules::destroy),
    get("/api/integrations", integrations::index),
    post("/api/integrations", integrations::create),
    get("/api/integrations/{id}", integrations::show),
    put("/api/integrations/{id}", integrations::update),
    delete("/api/integrations/{id}", integrations::destroy),
    get("/api/satisfaction-surveys", surveys::index),
    post("/api/satisfaction-surveys", surveys::create),
    get("/api/satisfaction-surveys/{id}", surveys::show),
    put("/api/satisfaction-surveys/{id}", surveys::update),
    get("/api/jobs", jobs::index),
    post("/api/jobs", jobs::create),
    get("/api/jobs/{id}", jobs::show),
    put("/api/jobs/{id}", jobs::update),
    delete("/api/jobs/{id}", jobs::cancel),
    get("/api/views", views::index),
    post("/api/views", views::create),
    get("/api/views/{id}", views::show),
    put("/api/views/{id}", views::update),
    delete("/api/views/{id}", views::destroy),
    get("/api/views/{id}/items", views::items),
    put("/api/views/{id}/items", views::search_items),
    post("/api/search", search::search),
    get("/api/macros", macros::index),
    post("/api/macros", macros::create),
    put("/api/macros/archive", macros::archive),
    put("/api/macros/unarchive", macros::unarchive),
    get("/api/macros/{id}", macros::show),
    put("/api/macros/{id}", macros::update),
    delete("/api/macros/{id}", macros::destroy),
    post("/api/upload", uploads::create),
    post("/api/reporting/stats", reporting::stats),
    get("/api/phone/voice-calls", voice::calls),
    get("/api/phone/voice-calls/{id}", voice::missing),
    get("/api/phone/voice-call-events", voice::call_events),
    get("/api/phone/voice-call-events/{id}", voice::missing),
    get("/api/phone/voice-call-recordings", voice::recordings),
    get("/api/phone/voice-call-recordings/{id}", voice::missing),
    delete("/api/phone/voice-call-recordings/{id}", voice::missing),
    get("/api/widgets", voice::widgets),
    get("/api/{name}/download/{name}/{name}", uploads::download),
];

/// Where a request goes.
pub(crate) enum Found {
    Route(&'static Route, Vec<String>),
    /// The path exists, but not with this method.
    WrongMethod(Vec<&'static str>),
    Nowhere,
}

pub(crate) fn find(method: &str, path: &str) -> Found {
    let mut others = Vec::new();
    for route in ROUTES {
        let Some(parts) = fit(route.template, path) else { continue };
        if route.method == method {
            return Found::Route(route, parts);
        }
        others.push(route.method);
    }
    if others.is_empty() { Found::Nowhere } else { Found::WrongMethod(others) }
}

fn fit(template: &str, path: &str) -> Option<Vec<String>> {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    let mut parts = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(parts),
            (Some("{id}"), Some(part)) if part.parse::<u64>().is_ok() => parts.push(part.to_owned()),
            (Some("{name}"), Some(part)) if !part.is_empty() => parts.push(part.to_owned()),
            (Some(wanted), Some(part)) if wanted == part => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: &str) {
        let found = match find(method, path) {
            Found::Route(route, parts) => format!("{} {parts:?}", route.template),
            Found::WrongMethod(others) => format!("allowed {others:?}"),
            Found::Nowhere => "nowhere".to_owned(),
        };
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn paths_find_their_endpoint() {
        check("GET", "/api/tickets", "/api/tickets []");
        check("PUT", "/api/customers/merge", "/api/customers/merge []");
        check("GET", "/api/tickets/7/messages/9", r#"/api/tickets/{id}/messages/{id} ["7", "9"]"#);
        check(
            "GET",
            "/api/attachment/download/abc/x.png",
            r#"/api/{name}/download/{name}/{name} ["attachment", "abc", "x.png"]"#,
        );
        check("PATCH", "/api/tickets/7", r#"allowed ["GET", "PUT", "DELETE"]"#);
        check("DELETE", "/api/users", r#"allowed ["GET", "POST"]"#);
        check("GET", "/api/tickets/seven", "nowhere");
        check("GET", "/api/v2/tickets", "nowhere");
    }
}
