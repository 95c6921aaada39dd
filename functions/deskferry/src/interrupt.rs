//! Ctrl-C and SIGTERM: the first asks to stop, the second stops at once.
//!
//! Stopping at once is safe too: every intent is in the ledger before its request leaves, so the next start looks up what
//! is in doubt. It merely costs those look-ups.

use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::screen::Screen;

/// Tells whether somebody asked to stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Returns when somebody asked to stop.
    pub(crate) async fn requested(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop).await.is_err() {
            // The listening task never ends before the program does; without it there is nothing to wait for.
            std::future::pending::<()>().await;
        }
    }
}

/// Starts listening for both signals.
///
/// # Errors
/// When the system refuses the handlers.
pub(crate) fn listen() -> std::io::Result<Interrupt> {
    let (sender, receiver) = watch::channel(false);
    let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        let mut signals = (interrupt, terminate);
        either(&mut signals).await;
        sender.send_replace(true);
        either(&mut signals).await;
        process::exit(i32::from(Exit::Interrupted.code()));
    });
    Ok(Interrupt(receiver))
}

async fn either((interrupt, terminate): &mut (Signal, Signal)) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Says that it stops and how to go on.
pub(crate) fn say_stopping(screen: &Screen) {
    screen.say("Stopping after what is under way; press Ctrl-C again to stop at once (both are safe)");
}
