use std::sync::Mutex;

use super::*;

const LEADDESK: &str = "https://restapi-nor.leaddesk.com/stable/audio/files/a.mp3";

fn hosts() -> Hosts {
    Hosts::new(&["rec-*.leaddesk.com".to_owned()], &LEADDESK.parse().unwrap())
}

fn judged(location: &str) -> Result<String, AddressFault> {
    hosts().judge(location, &LEADDESK.parse().unwrap()).map(|url| url.to_string())
}

/// Gives its answers one after the other and counts the questions.
struct Answers(Mutex<Vec<Vec<IpAddr>>>);

impl Answers {
    fn new<const N: usize>(answers: [&[&str]; N]) -> Self {
        let parsed = answers.map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect());
        Self(Mutex::new(parsed.into_iter().rev().collect()))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[async_trait]
impl Resolve for Answers {
    async fn resolve(&self, _host: &str, _port: u16) -> io::Result<Vec<IpAddr>> {
        self.0.lock().unwrap().pop().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[test]
fn the_hosts_of_recordings_are_reached_by_https_alone() {
    for good in [
        "https://rec-1.leaddesk.com/a.mp3?signature=s",
        "https://REC-eu2.LeadDesk.com/a.mp3",
        "https://rec-1.leaddesk.com:443/a.mp3",
        "//rec-1.leaddesk.com/a.mp3",
    ] {
        assert!(judged(good).is_ok(), "{good}");
    }
}

#[test]
fn thirty_ways_to_lead_elsewhere_are_refused() {
    use AddressFault::{Credentials, Host, NoUrl, NotHttps, Number, Port};
    let table = [
        ("http://rec-1.leaddesk.com/a", NotHttps),
        ("ftp://rec-1.leaddesk.com/a", NotHttps),
        ("file:///etc/passwd", NotHttps),
        ("gopher://127.0.0.1:6379/_x", NotHttps),
        ("data:audio/mpeg;base64,SUQz", NotHttps),
        ("https://", NoUrl),
        ("https://rec-1.leaddesk.com:port/", NoUrl),
        ("https://169.254.169.254/latest/meta-data/", Number),
        ("//169.254.169.254/latest/meta-data/", Number),
        ("https://127.0.0.1/", Number),
        ("https://127.1/", Number),
        ("https://2130706433/", Number),
        ("https://0x7f000001/", Number),
        ("https://0x7f.0.0.1/", Number),
        ("https://0177.0.0.1/", Number),
        ("https://017700000001/", Number),
        ("https://2852039166/", Number),
        ("https://0xa9fea9fe/", Number),
        ("https://①②⑦.⓪.⓪.①/", Number),
        ("https://%31%32%37.0.0.1/", Number),
        ("https://[::1]/", Number),
        ("https://[::ffff:169.254.169.254]/", Number),
        ("https://[fd00:ec2::254]/", Number),
        ("https://8.8.8.8/", Number),
        ("https://localhost/", Host),
        ("https://metadata.google.internal/", Host),
        ("https://rec-1.leaddesk.com.evil.example/", Host),
        ("https://evil.example/rec-1.leaddesk.com", Host),
        ("https://evil.example#rec-1.leaddesk.com", Host),
        ("https://evil.example\\rec-1.leaddesk.com", Host),
        ("https://rec-1.evil.leaddesk.com/", Host),
        ("https://rec-.leaddesk.com/", Host),
        ("https://xrec-1.leaddesk.com/", Host),
        ("https://rec-1.leaddesk.com./", Host),
        ("/on/the/interface/itself", Host),
        ("https://rec-1.leaddesk.com@169.254.169.254/", Credentials),
        ("https://user:secret@rec-1.leaddesk.com/", Credentials),
        ("https://rec-1.leaddesk.com:8443/", Port),
        ("https://rec-1.leaddesk.com:22/", Port),
    ];
    for (location, expected) in table {
        assert_eq!(judged(location), Err(expected), "{location}");
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_leads_to_public_machines_only() {
    let url = || judged("https://rec-1.leaddesk.com/a").unwrap().parse::<Url>().unwrap();
    let refused = [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
    ];
    for address in refused {
        let answers = Answers::new([&[address]]);
        let found = hosts().locate(url(), &answers).await;
        assert!(matches!(found, Err(NoTarget::Refused(AddressFault::NotPublic))), "{address}: {found:?}");
    }
    // A public one beside a private one is no better.
    let mixed = hosts().locate(url(), &Answers::new([&["203.0.114.7", "10.0.0.1"]])).await;
    assert!(matches!(mixed, Err(NoTarget::Refused(AddressFault::NotPublic))));
    // The second answer would lead to the metadata service: it is never asked for.
    let rebinding = Answers::new([&["203.0.114.7"], &["169.254.169.254"]]);
    let target = hosts().locate(url(), &rebinding).await.unwrap();
    assert_eq!((target.address.to_string().as_str(), rebinding.left()), ("203.0.114.7:443", 1));
    let sixth = hosts().locate(url(), &Answers::new([&["2a00:1450:400f::1"]])).await.unwrap();
    assert_eq!(sixth.address.to_string(), "[2a00:1450:400f::1]:443");
    let nobody = hosts().locate(url(), &Answers::new([&[]])).await;
    assert!(matches!(nobody, Err(NoTarget::Unresolved(_))));
}

#[tokio::test]
async fn a_stand_in_on_this_machine_leads_to_this_machine_and_nowhere_else() {
    let base: Url = "http://127.0.0.1:8080/stable".parse().unwrap();
    let stand_in = Hosts::new(&["rec-*.leaddesk.com".to_owned()], &base);
    let judged = |location: &str| stand_in.judge(location, &base);
    for elsewhere in [
        "https://rec-1.leaddesk.com/a",
        "http://169.254.169.254/",
        "http://10.0.0.1/",
        "http://example.com/",
        "http://localhost.example.com/",
        "ftp://127.0.0.1/",
    ] {
        assert_eq!(judged(elsewhere), Err(AddressFault::LeavesMachine), "{elsewhere}");
    }
    let here = judged("http://rec-1.localhost:9000/a").unwrap();
    let target = stand_in.locate(here.clone(), &Answers::new([&["127.0.0.1"]])).await.unwrap();
    assert_eq!(target.address.to_string(), "127.0.0.1:9000");
    let lured = stand_in.locate(here, &Answers::new([&["169.254.169.254"]])).await;
    assert!(matches!(lured, Err(NoTarget::Refused(AddressFault::LeavesMachine))));
    // The other way round: no configuration of a real LeadDesk lets this machine in.
    assert_eq!(
        hosts().judge("http://127.0.0.1:9000/a", &LEADDESK.parse().unwrap()),
        Err(AddressFault::NotHttps)
    );
}

#[test]
fn patterns_end_in_a_domain() {
    for good in ["rec-*.leaddesk.com", "*.leaddesk.com", "media.example.org"] {
        assert_eq!(pattern_fault(good), None, "{good}");
    }
    for bad in ["*", "*.com", "rec-*", "a*.b*.com", "Rec.leaddesk.com", "10.0.0.1", "a..com", "", "a.com/x"] {
        assert!(pattern_fault(bad).is_some(), "{bad}");
    }
}
