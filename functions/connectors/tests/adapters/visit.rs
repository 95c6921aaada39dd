//! A LeadDesk twin with a client beside it. The client's time is virtual, so that its pauses take none.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use connectors::clock::VirtualClock;
use connectors::http::log::NoLog;
use connectors::leaddesk::{Access, Client, RECORDING_HOSTS};
use jiff::Timestamp;
use pipeline::ports::clock::Clock;
use secrecy::SecretString;
use twins::generate::{Account, Shape};
use twins::leaddesk::{
    Clock as TwinClock, Config, FaultAction, FaultPlan, FaultRule, Profile, Running, ScheduledFaults, When,
    start,
};

/// A running twin and everything around it.
pub(crate) struct Visit {
    pub(crate) running: Running,
    pub(crate) client: Client,
    pub(crate) clock: Arc<VirtualClock>,
    /// Seconds of the twin's own clock.
    pub(crate) seconds: Arc<AtomicU64>,
}

impl Visit {
    pub(crate) async fn begin() -> Self {
        Self::with(|_| {}).await
    }

    /// `change` may spoil what the client is given.
    pub(crate) async fn with(change: impl FnOnce(&mut Access)) -> Self {
        Self::prepared(|_, _| {}, change).await
    }

    /// `prepare` may change the twin once its account is known.
    pub(crate) async fn prepared(
        prepare: impl FnOnce(&mut Config, &Account),
        change: impl FnOnce(&mut Access),
    ) -> Self {
        let seconds = Arc::new(AtomicU64::new(1_800_000_000));
        let mut config =
            Config { clock: TwinClock::manual(Arc::clone(&seconds)), ..Config::new(Profile::Evidence) };
        let mut access = Access {
            original_api_url: "http://127.0.0.1:1".parse().unwrap(),
            rest_api_url: "http://127.0.0.1:1".parse().unwrap(),
            auth: SecretString::from(config.auth.as_str()),
            account: config.account_number.into(),
            client_id: SecretString::from(config.client_id.as_str()),
            client_secret: SecretString::from(config.client_secret.as_str()),
            in_flight: 4,
            requests_per_second: 5.0,
            recording_hosts: RECORDING_HOSTS.map(str::to_owned).to_vec(),
        };
        let account = Account::generate(Shape { short_row: false, ..Shape::demo() }).unwrap();
        prepare(&mut config, &account);
        let running = start(config, account).await.unwrap();
        access.original_api_url = running.base_url().parse().unwrap();
        access.rest_api_url = running.rest_url().parse().unwrap();
        change(&mut access);
        let clock = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH));
        let time: Arc<dyn Clock> = clock.clone();
        let client = Client::new(access, time, Arc::new(NoLog)).unwrap();
        Self { running, client, clock, seconds }
    }

    /// Requests of this route meet the fault from the `nth` on, so many of them.
    pub(crate) fn strike(&self, route: &str, nth: u64, times: u64, action: FaultAction) {
        let when = When {
            route: Some(route.to_owned()),
            nth: Some(nth),
            until: Some(nth + times - 1),
            ..When::default()
        };
        let plan = FaultPlan { seed: 0, rules: vec![FaultRule { when, action }] };
        self.running.twin().set_faults(Arc::new(ScheduledFaults::new(plan)));
    }

    pub(crate) fn account(&self) -> std::sync::RwLockReadGuard<'_, Account> {
        self.running.twin().account()
    }

    /// Requests that the twin saw on this route.
    pub(crate) fn seen(&self, route: &str) -> u64 {
        self.running.twin().ledgers().requests.get(route).copied().unwrap_or_default()
    }

    /// Nothing was done to LeadDesk that a reader must not do.
    pub(crate) fn has_only_read(&self) {
        let ledgers = self.running.twin().ledgers();
        assert_eq!(ledgers.violations, []);
    }
}
