//! One program for all functions; `_HANDLER` says which one it is. The template gives each its own role and queue.

use std::sync::Arc;

use lambda::home::Home;
use lambda::role::Role;
use lambda::{batch, logs};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Error> {
    logs::to_standard_output();
    let role = Role::from_environment()?;
    let home = Arc::new(Home::from_environment(role).await?);
    // Names are looked up and connections opened while the time is not yet that of a message.
    home.warm().await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<batch::Event>| {
        let home = Arc::clone(&home);
        async move { Ok::<_, Error>(batch::handle(&*home, event).await) }
    }))
    .await
}
