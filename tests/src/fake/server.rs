//! The socket: reads requests, hands them on, writes answers, cuts connections on purpose. With TLS if it is given a
//! certificate.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::reply::Reply;

/// Room is made at once for a body of at most so many bytes; larger ones are believed as they come.
const LARGEST_EXPECTED: usize = 16 * 1024 * 1024;

/// A server on a loopback port, on threads of its own; it ends with this value.
pub(crate) struct Server {
    /// `http://127.0.0.1:12345`
    pub(crate) url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A request as it came over the socket; `B` is [`Incoming`] while its body is still on the way.
#[derive(Debug)]
pub(crate) struct Received<B = Bytes> {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) uri: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: B,
}

/// The connection ends without an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl Server {
    /// Starts one on this port, or on a free one if it is 0. `handler` answers each request.
    ///
    /// # Panics
    /// If the port is taken.
    pub(crate) fn start<H, F>(port: u16, tls: Option<Arc<ServerConfig>>, handler: H) -> Self
    where
        H: Fn(Received<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Reply, Cut>> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = mpsc::channel();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("a free port");
                ready.send(listener.local_addr().expect("an address")).expect("the starter waits");
                tokio::select! {
                    () = accept(listener, tls.map(TlsAcceptor::from), handler) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        let address: SocketAddr = address.recv().unwrap_or_else(|_| panic!("port {port} is not free"));
        Self { url: format!("{scheme}://{address}"), stop: Some(stop), thread: Some(thread) }
    }
}

impl Received<Incoming> {
    /// With its whole body.
    ///
    /// # Errors
    /// If the client goes away before its end.
    pub(crate) async fn whole(self) -> Result<Received, Cut> {
        let body = read(self.body).await?;
        Ok(Received { method: self.method, uri: self.uri, headers: self.headers, body })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error says that it ended before.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is cut on purpose")
    }
}

impl std::error::Error for Cut {}

async fn accept<H, F>(listener: TcpListener, tls: Option<TlsAcceptor>, handler: H)
where
    H: Fn(Received<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Reply, Cut>> + Send + 'static,
{
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // Out of descriptors: some close soon.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        drop(socket.set_nodelay(true));
        let (tls, handler) = (tls.clone(), handler.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(socket, handler).await,
                Some(tls) => {
                    // A client that does not trust us goes away.
                    if let Ok(socket) = tls.accept(socket).await {
                        converse(socket, handler).await;
                    }
                }
            }
        });
    }
}

async fn converse<S, H, F>(socket: S, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Received<Incoming>) -> F,
    F: Future<Output = Result<Reply, Cut>>,
{
    let service = service_fn(|request| {
        let answer = handler(received(request));
        async move { answer.await.map(response) }
    });
    // A client that went away is no error of ours.
    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await);
}

fn received(request: Request<Incoming>) -> Received<Incoming> {
    let (parts, body) = request.into_parts();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let uri = parts.uri.path_and_query().map_or("/", |uri| uri.as_str()).to_owned();
    Received { method: parts.method.as_str().to_owned(), uri, headers, body }
}

fn response(reply: Reply) -> Response<Pieces> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let pieces = std::iter::once(reply.body).chain(reply.tail).filter(|piece| !piece.is_empty());
    response.body(Pieces(pieces.collect())).expect("headers of ours")
}

/// A body of known length, in pieces that are not copied.
struct Pieces(VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}

/// Reads a body into one piece, piece by piece: hyper uses its own buffer again as soon as a piece is copied. Blocks of
/// 512 KiB would otherwise be in memory twice.
async fn read(mut body: Incoming) -> Result<Bytes, Cut> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(0).min(LARGEST_EXPECTED);
    let mut whole = BytesMut::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| Cut)?.into_data() {
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}
