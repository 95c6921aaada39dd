//! The loopback server below both twins: accepts connections, hands requests to a router, stops on request.
//!
//! Deliberately absent: TLS, addresses other than loopback (a twin holds generated people and accepts test keys,
//! so nothing outside this machine may reach it), and any knowledge of what is served.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long the accept loop rests after a failed accept, for example when file descriptors are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Marks an answer that must never be sent: the connection closes without one byte of it.
///
/// A handler inserts this into the extensions of its [`Response`]; the effect of the request stays. For a client that
/// is the in-doubt case: the server applied the write and the answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HangUp;

/// A server that is accepting connections. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    /// The bound address; the port is the real one when port 0 was asked for.
    pub addr: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Running {
    /// Closes the listening socket and all open connections, and waits until that is done.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A join error means that the accept loop panicked; there is nothing left to stop then.
        self.accepting.await.ok();
    }
}

/// Serves `router` on `listen` (port 0 picks a free one) until the returned handle is stopped or dropped.
///
/// # Errors
/// `InvalidInput` when the address is not loopback; otherwise what binding the address reports.
pub async fn serve(router: Router, listen: SocketAddr) -> io::Result<Running> {
    if !listen.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a twin serves loopback only, not {listen}"),
        ));
    }
    let listener = TcpListener::bind(listen).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let accepting = tokio::spawn(accept(listener, router, stopped));
    Ok(Running { addr, stop, accepting })
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, router.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            // An error means that the handle was dropped, which is a wish to stop as well.
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn converse(stream: TcpStream, router: Router) {
    // Without this, Nagle's algorithm and delayed acknowledgements add 40 ms to small answers.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answering = TowerToHyperService::new(router.clone()).call(request.map(axum::body::Body::new));
        async move { sendable(answering.await) }
    });
    // A broken connection is the client's affair; the router has already recorded what it did.
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

fn sendable(answer: Result<Response, Infallible>) -> Result<Response, HungUp> {
    match answer {
        Ok(response) if response.extensions().get::<HangUp>().is_some() => Err(HungUp),
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}

/// The error that makes the connection close; nobody sees it.
#[derive(Debug)]
struct HungUp;

impl fmt::Display for HungUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("hung up on purpose")
    }
}

impl std::error::Error for HungUp {}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn router() -> Router {
        Router::new().route("/here", get(|| async { "served" })).route(
            "/lost",
            get(|| async {
                let mut response = "never seen".into_response();
                response.extensions_mut().insert(HangUp);
                response
            }),
        )
    }

    #[tokio::test]
    async fn serves_on_loopback_and_stops() {
        let running = serve(router(), (Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let url = format!("http://{}/here", running.addr);
        assert_eq!(reqwest::get(&url).await.unwrap().text().await.unwrap(), "served");
        running.stop().await;
        assert!(reqwest::get(&url).await.unwrap_err().is_connect());
    }

    #[tokio::test]
    async fn hangs_up_without_an_answer() {
        let running = serve(router(), (Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let failure = reqwest::get(format!("http://{}/lost", running.addr)).await.unwrap_err();
        assert!(failure.is_request() && !failure.is_connect(), "{failure:?}");
        running.stop().await;
    }

    #[tokio::test]
    async fn refuses_addresses_beyond_loopback() {
        for listen in [SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), (Ipv6Addr::UNSPECIFIED, 0).into()] {
            let refused = serve(router(), listen).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{listen}");
        }
    }
}
