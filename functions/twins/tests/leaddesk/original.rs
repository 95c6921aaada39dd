//! The Original API: order of checks, shapes, strictness.

use crate::support::{Seen, Visit, calls, contacts, demo};
use serde_json::{Value, json};
use twins::generate::PlantedKind;
use twins::leaddesk::{Config, Profile};

const KEY: &str = "auth=twin-auth-0123456789abcdef012345";

#[tokio::test]
async fn refusals_come_in_one_order() {
    let visit = Visit::begin(Profile::Evidence).await;
    let table = [
        ("", "ERR_ARGUMENT_MISSING:auth"),
        ("mod=contact&cmd=get", "ERR_ARGUMENT_MISSING:auth"),
        ("auth=&mod=contact", "ERR_ARGUMENT_MISSING:auth"),
        ("auth=wrong", "ERR_AUTHENTICATION"),
        ("auth=wrong&mod=nonsense", "ERR_AUTHENTICATION"),
        ("KEY", "ERR_ARGUMENT_MISSING:mod"),
        ("KEY&mod=nonsense", "ERR_INVALID_MODULE:nonsense"),
        ("KEY&mod=Contact&cmd=get", "ERR_INVALID_MODULE:Contact"),
        ("KEY&mod=result&cmd=list", "ERR_INVALID_MODULE:result"),
        ("KEY&mod=blacklist&cmd=list", "ERR_INVALID_MODULE:blacklist"),
        ("KEY&mod=contact", "ERR_ARGUMENT_MISSING:cmd"),
        ("KEY&mod=contact&cmd=list", "ERR_INVALID_COMMAND:list"),
        ("KEY&mod=call&cmd=list", "ERR_INVALID_COMMAND:list"),
        ("KEY&mod=contact&cmd=get", "ERR_ARGUMENT_MISSING:contact_id"),
        ("KEY&mod=contact&cmd=get&contact_id=", "ERR_ARGUMENT_MISSING:contact_id"),
        ("KEY&mod=contact&cmd=get&id=1", "ERR_ARGUMENT_MISSING:contact_id"),
        ("KEY&mod=contact&cmd=get&contact_id=x", "ERR_ARGUMENT_INVALID:contact_id"),
        ("KEY&mod=contact&cmd=get&contact_id=%2B1", "ERR_ARGUMENT_INVALID:contact_id"),
        ("KEY&mod=contact&cmd=get&contact_id=10001&page=2", "ERR_ARGUMENT_INVALID:page"),
        ("KEY&mod=contact&cmd=get&contact_id=10001&contact_id=10002", "ERR_ARGUMENT_INVALID:contact_id"),
        ("KEY&mod=contact&cmd=get&contact_id=1", "ERR_NOT_FOUND:contact"),
        ("KEY&mod=contact&cmd=find", "ERR_ARGUMENT_MISSING:phone"),
        ("KEY&mod=contact&cmd=find&fname=", "ERR_ARGUMENT_MISSING:phone"),
        ("KEY&mod=contact&cmd=find&contact_list_id=x", "ERR_ARGUMENT_INVALID:contact_list_id"),
        ("KEY&mod=contact&cmd=find&contact_list_id=1", "ERR_NOT_FOUND:calling_list"),
        ("KEY&mod=contact&cmd=exists&phone=1", "ERR_ARGUMENT_MISSING:contact_list_id"),
        ("KEY&mod=contact&cmd=exists&contact_list_id=2001", "ERR_ARGUMENT_MISSING:phone"),
        ("KEY&mod=call&cmd=get", "ERR_ARGUMENT_MISSING:call_ref_id"),
        ("KEY&mod=call&cmd=get&call_ref_id=100001&phone=1", "ERR_ARGUMENT_INVALID:phone"),
        ("KEY&mod=call&cmd=get&call_ref_id=1", "ERR_NOT_FOUND:call"),
        ("KEY&mod=call&cmd=get&phone=nobody", "ERR_NOT_FOUND:call"),
        ("KEY&mod=calling_list&cmd=list&page=1", "ERR_ARGUMENT_INVALID:page"),
        ("KEY&mod=calling_list&cmd=export", "ERR_ARGUMENT_MISSING:id"),
        ("KEY&mod=calling_list&cmd=export&id=1", "ERR_NOT_FOUND:calling_list"),
        ("KEY&mod=agent&cmd=find", "ERR_ARGUMENT_MISSING:username"),
        ("KEY&mod=agent&cmd=find&username=nobody", "ERR_NOT_FOUND:agent"),
        ("KEY&mod=agent&cmd=find&username=*", "ERR_NOT_FOUND:agent"),
    ];
    for (query, expected) in table {
        let query = query.replace("KEY", KEY);
        let seen = visit.get(&format!("/?{query}")).await;
        assert_eq!((seen.status, seen.body.as_str()), (400, expected), "{query}");
        assert_eq!(seen.content_type, "text/plain; charset=utf-8", "{query}");
    }
    assert_eq!(visit.running.twin().ledgers().violation_count, 0);
}

#[tokio::test]
async fn parameters_may_come_as_a_form_and_the_query_wins() {
    let visit = Visit::begin(Profile::Evidence).await;
    let post = |url: String, form: &[(&str, &str)]| visit.client.post(url).form(form).send();
    let form = [("auth", visit.auth.as_str()), ("mod", "contact"), ("cmd", "get"), ("contact_id", "10001")];
    let seen = Seen::of(post(visit.url("/"), &form).await.unwrap()).await;
    assert_eq!(seen.json()["contact_id"], 10_001);
    let seen = Seen::of(post(visit.url("/?contact_id=10002"), &form).await.unwrap()).await;
    assert_eq!(seen.json()["contact_id"], 10_002);
    let read_with_json =
        visit.client.post(visit.url(&format!("/?{KEY}&mod=calling_list&cmd=list"))).json(&json!({}));
    let seen = Seen::of(read_with_json.send().await.unwrap()).await;
    assert_eq!((seen.status, seen.body.as_str()), (400, "ERR_ARGUMENT_INVALID:body"));
}

#[tokio::test]
async fn lists_are_a_bare_array_by_id() {
    let visit = Visit::begin(Profile::Evidence).await;
    let seen = visit.original("mod=calling_list&cmd=list").await;
    assert_eq!(seen.content_type, "application/json; charset=utf-8");
    let lists = seen.json();
    let expected: Vec<Value> =
        demo().lists().map(|list| json!({ "id": list.id.to_string(), "name": list.name })).collect();
    assert_eq!(lists, Value::Array(expected));
}

#[tokio::test]
async fn exports_have_a_row_per_number_and_no_header() {
    let visit = Visit::begin(Profile::Evidence).await;
    let account = demo();
    let [three, short] = [PlantedKind::ThreeNumbers, PlantedKind::ShortExportRow]
        .map(|kind| contacts(&account, kind)[0].to_string());
    let (mut rows, mut three_numbers, mut pairs) = (0, Vec::new(), std::collections::BTreeSet::new());
    for list in account.lists() {
        let seen = visit.original(&format!("mod=calling_list&cmd=export&id={}", list.id)).await;
        assert_eq!((seen.status, seen.content_type.as_str()), (200, "text/csv; charset=utf-8"));
        assert!(seen.body.is_empty() || seen.body.ends_with("\r\n"));
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).delimiter(b';').flexible(true);
        for record in reader.from_reader(seen.body.as_bytes()).records() {
            let record = record.unwrap();
            rows += 1;
            assert_eq!(record.len(), if record[0] == short { 13 } else { 14 }, "{record:?}");
            assert!(["", "*"].contains(&&record[7]), "{record:?}");
            for time in [&record[8], &record[9]] {
                assert!(time.parse::<twins::generate::Stamp>().is_ok(), "{record:?}");
            }
            pairs.insert((list.id, record[0].to_owned()));
            if record[0] == three {
                three_numbers.push(record[1].to_owned());
            }
        }
    }
    assert_eq!(rows, account.export_row_count());
    assert_eq!(pairs.len(), account.lead_count());
    assert_eq!(pairs.len(), 1_500);
    assert_eq!(three_numbers.len(), 3);
    let hostile = contacts(&account, PlantedKind::HostileContact)[0];
    let list = account.contact(hostile).unwrap().list_ids[0];
    let seen = visit.original(&format!("mod=calling_list&cmd=export&id={list}")).await;
    assert!(seen.body.contains(r#""Åke ""Acke""";"O'Näs; Ström";"#), "{}", seen.body);
}

#[tokio::test]
async fn contacts_are_found_by_exact_text_alone() {
    let account = demo();
    let mut config = Config::new(Profile::Evidence);
    config.knobs.contact_ids_max = Some(2);
    let visit = Visit::with(config).await;
    let household = contacts(&account, PlantedKind::HouseholdPhone);
    let person = contacts(&account, PlantedKind::PersonInThreeLists);
    let first = account.contact(person[0]).unwrap();
    let phone = first.text.phones[0].replace('+', "%2B");
    let found = visit.original(&format!("mod=contact&cmd=find&phone={phone}")).await.json();
    assert_eq!(found, json!({ "success": true, "total_count": 2, "contact_ids": [person[0], person[2]] }));
    let unescaped =
        visit.original(&format!("mod=contact&cmd=find&phone={}", first.text.phones[0])).await.json();
    assert_eq!(unescaped["total_count"], 0);
    let shared = account.contact(household[0]).unwrap().text.phones[0].replace('+', "%2B");
    let found = visit.original(&format!("mod=contact&cmd=find&phone={shared}")).await.json();
    assert_eq!(found["contact_ids"], json!(household[..2]));
    let (fname, lname) = (first.text.fname, first.text.lname);
    let found = visit.original(&format!("mod=contact&cmd=find&fname={fname}&lname={lname}")).await.json();
    assert!(found["total_count"].as_u64().unwrap() >= 3, "{found}");
    assert_eq!(found["contact_ids"].as_array().unwrap().len(), 2, "capped below total_count");
    let list = first.list_ids[0];
    let exists = |more: String| format!("mod=contact&cmd=exists&contact_list_id={list}&phone={phone}{more}");
    assert_eq!(
        visit.original(&exists(String::new())).await.json(),
        json!({ "success": true, "match": true })
    );
    let other = visit.original(&exists("&fname=Nobody".to_owned())).await.json();
    assert_eq!(other, json!({ "success": true, "match": false }));
}

#[tokio::test]
async fn contacts_show_every_field_and_three_kinds_of_nothing() {
    let visit = Visit::begin(Profile::Evidence).await;
    let account = demo();
    let mut nothing = std::collections::BTreeMap::<String, usize>::new();
    for id in account.contact_ids().take(60) {
        let document = visit.original(&format!("mod=contact&cmd=get&contact_id={id}")).await.json();
        assert_eq!((&document["success"], &document["contact_id"]), (&json!(true), &json!(id)));
        let data = document["data"].as_object().unwrap();
        assert_eq!(data.len(), 54, "id, 18 fields and 35 slots, and no list: {data:?}");
        let text = account.contact(id).unwrap().text;
        for (name, expected) in [("fname", &text.fname), ("email", &text.email), ("comment", &text.comment)] {
            let shown = data[name].as_str().unwrap_or_default();
            assert_eq!(shown, expected, "{name} of {id}");
        }
        for value in data.values().filter(|value| [json!(null), json!(""), json!([])].contains(value)) {
            *nothing.entry(value.to_string()).or_default() += 1;
        }
    }
    assert_eq!(nothing.len(), 3, "{nothing:?}");
    assert!(nothing.values().all(|count| *count > 100), "{nothing:?}");
    let full = contacts(&account, PlantedKind::AllSlotsFilled)[0];
    let data = visit.original(&format!("mod=contact&cmd=get&contact_id={full}")).await.json()["data"].take();
    assert!((1..=35).all(|slot| data[format!("other{slot}")].as_str().is_some_and(|text| !text.is_empty())));
    let three = contacts(&account, PlantedKind::ThreeNumbers)[0];
    let data = visit.original(&format!("mod=contact&cmd=get&contact_id={three}")).await.json()["data"].take();
    assert_eq!(data["phone_numbers"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn calls_are_text_apart_from_orders() {
    let visit = Visit::begin(Profile::Evidence).await;
    let account = demo();
    let get = async |query: String| visit.original(&format!("mod=call&cmd=get&{query}")).await.json();
    let id = calls(&account, PlantedKind::HostileComment)[0];
    let document = get(format!("call_ref_id={id}")).await;
    let call = account.call(id).unwrap();
    let object = document.as_object().unwrap();
    assert_eq!(object.len(), twins::generate::CALL_FIELDS.len());
    for name in twins::generate::CALL_FIELDS {
        let expected = if name == "order_ids" { object[name].is_array() } else { object[name].is_string() };
        assert!(expected, "{name}: {}", object[name]);
    }
    assert_eq!(document["comment"], call.comment);
    assert_eq!(document["talk_time"], "61");
    let orphan = get(format!("call_ref_id={}", calls(&account, PlantedKind::CallWithoutContact)[0])).await;
    assert_eq!(orphan["contact_id"], "0");
    let missed = get(format!("call_ref_id={}", calls(&account, PlantedKind::CallWithoutAgent)[0])).await;
    let shown = ["agent_id", "agent_username", "talk_time", "talk_start", "talk_end", "direction"]
        .map(|name| &missed[name]);
    assert_eq!(shown.map(|value| value.as_str().unwrap()), ["0", "", "0", "", "", "in"]);
    let contact = call.contact_id.unwrap();
    let phone = account.contact(contact).unwrap().text.phones[0].replace('+', "%2B");
    let latest = get(format!("phone={phone}")).await;
    let expected = account.calls_of_contact(contact).into_iter().max().unwrap();
    assert_eq!(latest["id"], expected.to_string());
    let agent = account.users().nth(9).unwrap();
    let found = visit.original(&format!("mod=agent&cmd=find&username={}", agent.username)).await.json();
    assert_eq!(found, json!({ "id": agent.id, "name": agent.name }));
    assert_eq!(visit.original("mod=widget&cmd=list").await.json(), json!([]));
}

#[tokio::test]
async fn the_extended_profile_answers_more_and_each_part_has_its_switch() {
    let visit = Visit::begin(Profile::Extended).await;
    let account = demo();
    let results = visit.original("mod=result&cmd=list").await.json();
    assert_eq!(results.as_array().unwrap().len(), account.outcomes().count());
    assert_eq!(results[0], json!({ "id": "301", "name": "Deal", "campaign_id": "0", "type": "reached" }));
    let campaigns = visit.original("mod=campaign&cmd=list").await.json();
    assert_eq!(campaigns[3]["active"], false);
    let page = visit.original("mod=blacklist&cmd=list&offset=1&limit=2").await.json();
    let expected: Vec<&str> = account.blacklist()[1..3].iter().map(|entry| entry.number.as_str()).collect();
    assert_eq!(
        page.as_array().unwrap().iter().map(|entry| entry["number"].as_str().unwrap()).collect::<Vec<_>>(),
        expected
    );
    let refused = visit.original("mod=blacklist&cmd=list&limit=1001").await;
    assert_eq!(refused.body, "ERR_ARGUMENT_INVALID:limit");
    let fields = visit.original("mod=custom_fields&cmd=list").await.json();
    assert_eq!(fields.as_array().unwrap().len(), 35 + 35 + 6 + 6);
    let agents = visit.original("mod=agent&cmd=find&username=*").await.json();
    assert_eq!(agents.as_array().unwrap().len(), 24);
    let contact = visit.original("mod=contact&cmd=get&contact_id=10001").await.json();
    assert_eq!(contact["data"]["contact_list_id"], 2_001);
    let mut config = Config::new(Profile::Extended);
    config.features.result_list = false;
    let visit = Visit::with(config).await;
    assert_eq!(visit.original("mod=result&cmd=list").await.body, "ERR_INVALID_MODULE:result");
    assert_eq!(visit.original("mod=campaign&cmd=list").await.status, 200);
}
