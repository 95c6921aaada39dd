//! `twin`: one stand-in, for other clients and for rehearsals, until interrupted.

use serde_json::json;
use twins::gorgias::Bucket;

use crate::arguments::{Account as Size, GorgiasTwin, LeadDeskTwin, Profile, System, Twin};
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt::{self, Interrupt};
use crate::screen::Screen;
use crate::stand_in::{self, Keys, Pace};
use crate::words;

/// Serves one stand-in.
pub(crate) fn run(screen: &Screen, arguments: &Twin) -> Result<Exit, Failure> {
    let keys = Keys::from_environment(|name| std::env::var(name).ok());
    super::in_runtime(async {
        match &arguments.system {
            System::LeadDesk(twin) => leaddesk(screen, twin, &keys).await,
            System::Gorgias(twin) => gorgias(screen, twin, &keys).await,
        }
    })
}

async fn leaddesk(screen: &Screen, arguments: &LeadDeskTwin, keys: &Keys) -> Result<Exit, Failure> {
    // Whoever reads the address may ask for the end at once.
    let interrupt = interrupt::listen()?;
    screen.say("Starting a stand-in of LeadDesk; nothing leaves this machine");
    let account = account_of(screen, &arguments.account)?;
    if let Some(folder) = &arguments.files {
        let failed = |error| {
            Failure::new(&catalogue::LOCAL_FILES, "cannot write the operator's files").because(&error)
        };
        account.write_files(folder).map_err(failed)?;
        screen.say(format!("Files of the operator   {}", folder.display()));
    }
    let profile = match arguments.profile {
        Profile::Evidence => twins::leaddesk::Profile::Evidence,
        Profile::Extended => twins::leaddesk::Profile::Extended,
    };
    let twin = stand_in::start_leaddesk(account, profile, arguments.account.listen, keys).await?;
    let (url, rest_url) = (twin.base_url(), twin.rest_url());
    screen.say(format!("Original API            {url}"));
    screen.say(format!("REST API                {rest_url}"));
    screen.say(format!("Control                 {url}/__twin/ state, ledgers, faults, advance"));
    screen.say(
        "Keys                    LEADDESK_AUTH, LEADDESK_CLIENT_ID, LEADDESK_CLIENT_SECRET, or the test keys",
    );
    screen.event(json!({ "type": "twin", "system": "leaddesk", "url": url, "rest_url": rest_url }));
    until_interrupted(screen, &interrupt).await;
    twin.stop().await;
    Ok(Exit::Done)
}

async fn gorgias(screen: &Screen, arguments: &GorgiasTwin, keys: &Keys) -> Result<Exit, Failure> {
    let interrupt = interrupt::listen()?;
    screen.say("Starting a stand-in of Gorgias; nothing leaves this machine");
    let bucket = bucket(&arguments.bucket)?;
    if !(arguments.time_scale.is_finite() && arguments.time_scale > 0.0) {
        return Err(Failure::new(&catalogue::BAD_ARGUMENT, "--time-scale must be a number above 0"));
    }
    let account = account_of(screen, &arguments.account)?;
    let pace = Pace { bucket, time_scale: arguments.time_scale };
    let preexisting = stand_in::preexisting(&account);
    drop(account);
    let twin =
        stand_in::start_gorgias(preexisting, pace, arguments.account.seed, arguments.account.listen, keys)
            .await?;
    if let Some(path) = &arguments.faults {
        twin.set_faults(faults(path)?);
    }
    let url = twin.base_url();
    let per_second = f64::from(bucket.capacity) / bucket.window_seconds * pace.time_scale;
    screen.say(format!("REST API                {url}/api"));
    screen.say(format!("Control                 {url}/__twin/ state, ledgers, requests, faults, edit"));
    screen.say(format!(
        "Rate limit              {} at time scale {} = {} requests",
        arguments.bucket,
        pace.time_scale,
        words::rate(per_second)
    ));
    screen.say("User and key            migration@acme.example; GORGIAS_API_KEY, or the test key");
    screen
        .event(json!({ "type": "twin", "system": "gorgias", "url": url, "requests_per_second": per_second }));
    until_interrupted(screen, &interrupt).await;
    twin.stop().await;
    Ok(Exit::Done)
}

fn account_of(screen: &Screen, size: &Size) -> Result<twins::generate::Account, Failure> {
    let account = stand_in::account(size.seed, size.contacts, size.calls)?;
    screen.say(format!(
        "Account                 seed {}: {} contacts, {} leads, {} calls",
        size.seed,
        words::count(account.contact_count() as u64),
        words::count(account.lead_count() as u64),
        words::count(account.call_count() as u64),
    ));
    Ok(account)
}

async fn until_interrupted(screen: &Screen, interrupt: &Interrupt) {
    screen.next("deskferry discover", "with these addresses in migration.toml; Ctrl-C stops the stand-in");
    interrupt.requested().await;
}

/// Reads a plan of faults.
fn faults(path: &std::path::Path) -> Result<Vec<twins::gorgias::Fault>, Failure> {
    let text = std::fs::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(&catalogue::BAD_ARGUMENT, "--faults is no list of faults")
            .with_why(error.to_string())
            .seen_in(path.display().to_string())
    })
}

/// Reads `40/20`.
pub(crate) fn bucket(text: &str) -> Result<Bucket, Failure> {
    let read = || {
        let (requests, seconds) = text.split_once('/')?;
        let bucket =
            Bucket { capacity: requests.trim().parse().ok()?, window_seconds: seconds.trim().parse().ok()? };
        (bucket.capacity > 0 && bucket.window_seconds.is_finite() && bucket.window_seconds > 0.0)
            .then_some(bucket)
    };
    read().ok_or_else(|| {
        Failure::new(&catalogue::BAD_ARGUMENT, "--bucket is not requests/seconds")
            .with_why("both must be numbers above 0, such as 40/20")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_requests_per_seconds() {
        let read = |text| {
            bucket(text).map(|bucket| (bucket.capacity, bucket.window_seconds)).map_err(|error| error.code())
        };
        assert_eq!(read("40/20"), Ok((40, 20.0)));
        assert_eq!(read("1000000/0.5"), Ok((1_000_000, 0.5)));
        for wrong in ["40", "0/20", "40/0", "-1/20", "40/-20", "40/NaN", "40/20/1", ""] {
            assert_eq!(read(wrong), Err("E0116"), "{wrong}");
        }
    }
}
