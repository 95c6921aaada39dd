//! Adapters of Amazon's services: S3 is the store, SQS the queue, Secrets Manager keeps the credentials.
//!
//! Region, credentials and endpoint come from the environment, as AWS sets it for functions. One HTTP client serves all
//! services. Deliberately absent: creating buckets, queues or secrets; the templates in `infra` do that.

mod cause;
mod objects;
mod queue;
mod secrets;
mod spent;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

pub use objects::S3Store;
pub use queue::SqsQueue;
pub use secrets::{SecretsError, resolve};
pub use spent::{Spent, SpentMeter};

/// Time to reach a service within its region.
const CONNECT: Duration = Duration::from_secs(3);
/// One attempt; parts of tens of megabytes go through in this time.
const ATTEMPT: Duration = Duration::from_secs(30);
/// All attempts of one call; below the margin that a function keeps at its end.
const OPERATION: Duration = Duration::from_secs(40);
/// Attempts of one call, before the adapter finds out for itself what became of it.
const ATTEMPTS_MAX: u32 = 4;

/// Settings that all clients share.
pub async fn settings(region: Option<&str>) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX));
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}
