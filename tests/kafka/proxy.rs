//! A way to the broker that can be cut.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Passes bytes on between whoever connects and the broker, until it is cut.
pub(crate) struct Proxy {
    port: u16,
    way: Arc<Way>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Way {
    cut: AtomicBool,
    silent: AtomicBool,
    closed: AtomicBool,
    to: AtomicU16,
    streams: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Listens; as yet it leads nowhere.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        listener.set_nonblocking(true).expect("set");
        let way = Arc::new(Way::default());
        let shared = Arc::clone(&way);
        let thread = thread::spawn(move || {
            while !shared.closed.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((client, _)) => shared.connect(client),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(2)),
                    Err(e) => panic!("{e}"),
                }
            }
        });
        Self { port, way, thread: Some(thread) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The port that it leads to.
    pub(crate) fn lead_to(&self, port: u16) {
        self.way.to.store(port, Ordering::Relaxed);
    }

    /// Cuts every connection and lets none through any more.
    pub(crate) fn cut(&self) {
        self.way.cut.store(true, Ordering::Relaxed);
        self.way.close();
    }

    /// Swallows all that comes, and tells nobody. As with TCP, whose pauses before it sends again grow, what loses something
    /// carries nothing for long after it is mended; a connection that was idle meanwhile has lost nothing.
    pub(crate) fn fall_silent(&self) {
        self.way.silent.store(true, Ordering::Relaxed);
    }

    /// Lets new connections through again.
    pub(crate) fn mend(&self) {
        self.way.cut.store(false, Ordering::Relaxed);
        self.way.silent.store(false, Ordering::Relaxed);
    }
}

impl Way {
    fn connect(self: &Arc<Self>, client: TcpStream) {
        if self.cut.load(Ordering::Relaxed) {
            return; // dropped: the client sees it closed
        }
        if self.silent.load(Ordering::Relaxed) {
            return self.streams.lock().expect("held by nobody who fell").push(client);
        }
        let Ok(broker) = TcpStream::connect(("127.0.0.1", self.to.load(Ordering::Relaxed))) else { return };
        client.set_nonblocking(false).expect("set");
        let lost = Arc::new(AtomicBool::new(false));
        let mut streams = self.streams.lock().expect("held by nobody who fell");
        for (from, to) in [(&client, &broker), (&broker, &client)] {
            let (mut from, mut to) = (from.try_clone().expect("cloned"), to.try_clone().expect("cloned"));
            let (way, lost) = (Arc::clone(self), Arc::clone(&lost));
            thread::spawn(move || {
                let mut bytes = vec![0; 1 << 16];
                while let Ok(count @ 1..) = from.read(&mut bytes) {
                    lost.fetch_or(way.silent.load(Ordering::Relaxed), Ordering::Relaxed);
                    if !lost.load(Ordering::Relaxed) && to.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
                let _ = from.shutdown(Shutdown::Both);
            });
        }
        streams.extend([client, broker]);
    }

    fn close(&self) {
        for stream in self.streams.lock().expect("held by nobody who fell").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.way.closed.store(true, Ordering::Relaxed);
        self.way.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
