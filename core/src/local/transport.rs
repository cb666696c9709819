//! The socket of each system: a Unix domain socket, or a named pipe.

use tokio::io::{AsyncRead, AsyncWrite};

use super::place::Place;

/// A connection, whatever it is on this system.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

pub type Stream = Box<dyn Duplex>;

/// A connection that was accepted.
pub struct Accepted {
    pub stream: Stream,
    /// Of the process at the other end, where the system tells.
    pub pid: Option<u32>,
}

#[cfg(unix)]
pub use unix::{Listener, connect};
#[cfg(windows)]
pub use windows::{Listener, connect};

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use tokio::net::{UnixListener, UnixStream};

    use super::{Accepted, Place, Stream};
    use crate::local::place::user;

    pub struct Listener {
        inner: UnixListener,
        path: PathBuf,
    }

    impl Listener {
        /// Only for whoever holds the lock of the data folder: what lies at the place is left over, and is removed.
        /// Must be called inside of a runtime.
        pub fn bind(place: &Place) -> io::Result<Self> {
            let path = place.to_bind()?;
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = std::os::unix::net::UnixListener::bind(&path)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            listener.set_nonblocking(true)?;
            Ok(Self { inner: UnixListener::from_std(listener)?, path })
        }

        /// The next connection of this person; those of others are dropped.
        pub async fn accept(&mut self) -> io::Result<Accepted> {
            loop {
                let (stream, _address) = self.inner.accept().await?;
                match stream.peer_cred() {
                    Ok(peer) if peer.uid() == user() => {
                        let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok());
                        return Ok(Accepted { stream: Box::new(stream), pid });
                    }
                    Ok(peer) => tracing::warn!(user = peer.uid(), "another person tried the local socket"),
                    Err(error) => tracing::warn!(%error, "nobody knows who tried the local socket"),
                }
            }
        }

        /// Takes the socket's name away, so that nobody finds it any more. Only while the data folder is locked.
        pub fn hide(path: &std::path::Path) {
            if let Err(error) = std::fs::remove_file(path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "the local socket could not be removed");
            }
        }

        pub fn path(&self) -> PathBuf {
            self.path.clone()
        }
    }

    /// The owner of the data folder; none when nobody listens.
    pub async fn connect(place: &Place) -> io::Result<Option<Stream>> {
        for path in place.to_connect() {
            match UnixStream::connect(&path).await {
                Ok(stream) if stream.peer_cred()?.uid() == user() => return Ok(Some(Box::new(stream))),
                Ok(_other) => return Err(io::Error::from(io::ErrorKind::PermissionDenied)),
                // Left over by a process that was killed, or just going away.
                Err(error) => tracing::debug!(path = %path.display(), %error, "nobody listens there"),
            }
        }
        Ok(None)
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::path::PathBuf;

    use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeServer, ServerOptions};

    use super::{Accepted, Place, Stream};

    pub struct Listener {
        name: String,
        next: NamedPipeServer,
    }

    impl Listener {
        /// Must be called inside of a runtime. The first instance: nobody else serves this name.
        pub fn bind(place: &Place) -> io::Result<Self> {
            let name = place.pipe();
            let next = ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(&name)?;
            Ok(Self { name, next })
        }

        pub async fn accept(&mut self) -> io::Result<Accepted> {
            self.next.connect().await?;
            let fresh = ServerOptions::new().reject_remote_clients(true).create(&self.name)?;
            let stream = std::mem::replace(&mut self.next, fresh);
            Ok(Accepted { stream: Box::new(stream), pid: None })
        }

        /// A pipe goes with its last instance.
        pub fn hide(_path: &std::path::Path) {}

        pub fn path(&self) -> PathBuf {
            PathBuf::from(&self.name)
        }
    }

    /// The owner of the data folder; none when nobody listens.
    pub async fn connect(place: &Place) -> io::Result<Option<Stream>> {
        match ClientOptions::new().open(place.pipe()) {
            Ok(stream) => Ok(Some(Box::new(stream))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // ERROR_PIPE_BUSY: all instances are taken for a moment; whoever asks asks again.
            Err(error) if error.raw_os_error() == Some(231) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
