//! The system's keychain, on a thread of its own with time limits: it may hang, or wait for the person to type a password.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use zeroize::{Zeroize, Zeroizing};

use super::{CredentialError, Item, Vault};
use crate::model::SecretText;

/// Under this name the entries stand in the keychain.
const PROGRAM: &str = "RS Personal Agent";

/// What the thread asks. Errors are in words.
pub trait Backend {
    fn get(&mut self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String>;

    fn set(&mut self, name: &str, label: &str, secret: &[u8]) -> Result<(), String>;

    /// False when there was none.
    fn remove(&mut self, name: &str) -> Result<bool, String>;
}

/// How long the keychain may take.
#[derive(Clone, Copy, Debug)]
pub struct KeychainLimits {
    /// To say that it is there.
    pub connect: Duration,
    /// To answer: it may ask the person for a password first.
    pub answer: Duration,
}

impl Default for KeychainLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(60) }
    }
}

type MakeBackend = Arc<dyn Fn() -> Result<Box<dyn Backend>, String> + Send + Sync>;
type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Lives on the thread; connects when it is first needed, and anew after an error.
struct Connection {
    make: MakeBackend,
    backend: Option<Box<dyn Backend>>,
}

impl Connection {
    fn ask<T>(&mut self, ask: impl FnOnce(&mut dyn Backend) -> Result<T, String>) -> Result<T, String> {
        let mut backend = match self.backend.take() {
            Some(backend) => backend,
            None => (self.make)()?,
        };
        let answer = ask(backend.as_mut())?;
        self.backend = Some(backend);
        Ok(answer)
    }
}

pub struct Keychain {
    make: MakeBackend,
    limits: KeychainLimits,
    /// Held while somebody waits for an answer, so that one question is asked at a time.
    sender: Mutex<Option<mpsc::Sender<Job>>>,
    /// The thread works on a question, perhaps one that nobody waits for any more.
    busy: Arc<AtomicBool>,
}

impl Keychain {
    pub fn new(
        limits: KeychainLimits,
        make: impl Fn() -> Result<Box<dyn Backend>, String> + Send + Sync + 'static,
    ) -> Self {
        Self { make: Arc::new(make), limits, sender: Mutex::default(), busy: Arc::default() }
    }

    /// That of this system.
    pub fn of_system() -> Self {
        Self::new(KeychainLimits::default(), || system::connect().map(|backend| Box::new(backend) as Box<dyn Backend>))
    }

    /// Whether it can be used now.
    pub fn check(&self) -> Result<(), CredentialError> {
        self.ask(self.limits.connect, |_backend| Ok(()))
    }

    fn ask<T: Send + 'static>(
        &self,
        limit: Duration,
        ask: impl FnOnce(&mut dyn Backend) -> Result<T, String> + Send + 'static,
    ) -> Result<T, CredentialError> {
        let failed = |why: &str| Err(CredentialError::Keychain(why.to_owned()));
        let Ok(mut sender) = self.sender.try_lock().or_else(|busy| match busy {
            std::sync::TryLockError::Poisoned(poisoned) => Ok(poisoned.into_inner()),
            std::sync::TryLockError::WouldBlock => Err(()),
        }) else {
            return failed("it is still busy with an earlier question; perhaps it waits for you to type its password");
        };
        if self.busy.swap(true, Ordering::SeqCst) {
            return failed("it has not answered an earlier question; perhaps it waits for you to type its password");
        }
        let (reply, answer) = mpsc::sync_channel(1);
        let busy = self.busy.clone();
        let job: Job = Box::new(move |connection| {
            let result = connection.ask(ask);
            busy.store(false, Ordering::SeqCst);
            // Nobody waits any more after the limit; a secret in it is overwritten here.
            drop(reply.send(result));
        });
        if let Err(why) = self.hand_over(&mut sender, job) {
            self.busy.store(false, Ordering::SeqCst);
            return failed(&why);
        }
        match answer.recv_timeout(limit) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(why)) => failed(&why),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                failed(&format!("it did not answer within {} seconds", limit.as_secs()))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                *sender = None;
                self.busy.store(false, Ordering::SeqCst);
                failed("the connection to it broke because of a fault")
            }
        }
    }

    fn hand_over(&self, sender: &mut Option<mpsc::Sender<Job>>, job: Job) -> Result<(), String> {
        let job = match sender {
            Some(running) => match running.send(job) {
                Ok(()) => return Ok(()),
                Err(mpsc::SendError(job)) => job,
            },
            None => job,
        };
        let (fresh, jobs) = mpsc::channel::<Job>();
        let make = self.make.clone();
        std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(move || {
                let mut connection = Connection { make, backend: None };
                while let Ok(job) = jobs.recv() {
                    job(&mut connection);
                }
            })
            .map_err(|error| format!("no thread for it: {error}"))?;
        fresh.send(job).map_err(|_ended| "its thread ended at once".to_owned())?;
        *sender = Some(fresh);
        Ok(())
    }
}

fn name_of(item: Item<'_>) -> String {
    format!("{}-{}", item.service, item.slot)
}

impl Vault for Keychain {
    fn get(&self, item: Item<'_>) -> Result<Option<SecretText>, CredentialError> {
        let name = name_of(item);
        let bytes = self.ask(self.limits.answer, move |backend| backend.get(&name))?;
        bytes
            .map(|bytes| {
                SecretText::from_bytes(bytes)
                    .ok_or_else(|| CredentialError::Keychain(format!("what it has for {} is no text", item.service)))
            })
            .transpose()
    }

    fn set(&self, item: Item<'_>, secret: &SecretText) -> Result<(), CredentialError> {
        let (name, label) = (name_of(item), format!("{PROGRAM}: {}", item.label));
        let secret = secret.clone();
        self.ask(self.limits.answer, move |backend| backend.set(&name, &label, secret.reveal().as_bytes()))
    }

    fn remove(&self, item: Item<'_>) -> Result<bool, CredentialError> {
        let (name, label) = (name_of(item), format!("{PROGRAM}: {}", item.label));
        self.ask(self.limits.answer, move |backend| {
            let Some(mut secret) = backend.get(&name)? else { return Ok(false) };
            let length = secret.len();
            secret.zeroize();
            backend.set(&name, &label, &vec![b'0'; length.max(1)])?;
            backend.remove(&name)
        })
    }
}

/// The keychain of this system, by keyring-core.
mod system {
    use std::collections::HashMap;
    use std::sync::Arc;

    use keyring_core::{CredentialStore, Entry, Error};
    use zeroize::Zeroizing;

    use super::{Backend, PROGRAM};

    pub(super) struct System(Arc<CredentialStore>);

    #[cfg(all(unix, not(target_os = "macos")))]
    pub(super) fn connect() -> Result<System, String> {
        // It connects to the session's bus and agrees on a key, so that secrets do not cross the bus in the clear.
        let store = zbus_secret_service_keyring_store::Store::new().map_err(|error| words(&error))?;
        Ok(System(store))
    }

    #[cfg(target_os = "macos")]
    pub(super) fn connect() -> Result<System, String> {
        let store = apple_native_keyring_store::keychain::Store::new().map_err(|error| words(&error))?;
        Ok(System(store))
    }

    #[cfg(windows)]
    pub(super) fn connect() -> Result<System, String> {
        let store = windows_native_keyring_store::Store::new().map_err(|error| words(&error))?;
        Ok(System(store))
    }

    #[cfg(not(any(unix, windows)))]
    pub(super) fn connect() -> Result<System, String> {
        Err("this system has none".to_owned())
    }

    /// What went wrong, never the data: an error may hold the bytes that it could not read.
    fn words(error: &Error) -> String {
        match error {
            Error::NoStorageAccess(_) => "it is locked, or refused".to_owned(),
            Error::BadEncoding(_) | Error::BadDataFormat(..) => "an entry in it cannot be read".to_owned(),
            Error::Ambiguous(_) => "it has more than one entry of this name".to_owned(),
            Error::PlatformFailure(cause) => cause.to_string(),
            Error::TooLong(..) => "the secret is too long for it".to_owned(),
            _ => "it refused".to_owned(),
        }
    }

    impl System {
        fn entry(&self, name: &str, label: Option<&str>) -> Result<Entry, String> {
            let labels = label.filter(|_| cfg!(all(unix, not(target_os = "macos"))));
            let modifiers = labels.map(|label| HashMap::from([("label", label)]));
            self.0.build(PROGRAM, name, modifiers.as_ref()).map_err(|error| words(&error))
        }
    }

    impl Backend for System {
        fn get(&mut self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
            match self.entry(name, None)?.get_secret() {
                Ok(secret) => Ok(Some(Zeroizing::new(secret))),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(words(&error)),
            }
        }

        fn set(&mut self, name: &str, label: &str, secret: &[u8]) -> Result<(), String> {
            self.entry(name, Some(label))?.set_secret(secret).map_err(|error| words(&error))
        }

        fn remove(&mut self, name: &str) -> Result<bool, String> {
            match self.entry(name, None)?.delete_credential() {
                Ok(()) => Ok(true),
                Err(Error::NoEntry) => Ok(false),
                Err(error) => Err(words(&error)),
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Entries in memory, shared by all connections.
    pub(in crate::credentials) type Entries = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

    /// A keychain in memory, for tests.
    pub(in crate::credentials) fn in_memory(entries: &Entries) -> Keychain {
        struct Memory(Entries);
        impl Backend for Memory {
            fn get(&mut self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
                Ok(self.0.lock().unwrap().get(name).cloned().map(Zeroizing::new))
            }
            fn set(&mut self, name: &str, _label: &str, secret: &[u8]) -> Result<(), String> {
                self.0.lock().unwrap().insert(name.to_owned(), secret.to_vec());
                Ok(())
            }
            fn remove(&mut self, name: &str) -> Result<bool, String> {
                Ok(self.0.lock().unwrap().remove(name).is_some())
            }
        }
        let entries = entries.clone();
        Keychain::new(KeychainLimits::default(), move || Ok(Box::new(Memory(entries.clone()))))
    }

    const ITEM: Item<'_> = Item { service: "openai", slot: "1", label: "work" };

    #[test]
    fn what_is_set_is_there_and_what_is_removed_is_gone() {
        let entries = Entries::default();
        let keychain = in_memory(&entries);
        assert_eq!(keychain.get(ITEM).unwrap(), None);
        keychain.set(ITEM, &SecretText::new("abc".to_owned())).unwrap();
        assert_eq!(keychain.get(ITEM).unwrap().unwrap().reveal(), "abc");
        assert!(keychain.remove(ITEM).unwrap() && !keychain.remove(ITEM).unwrap());
        assert!(entries.lock().unwrap().is_empty());
    }

    /// Answers each question only when the test lets it.
    struct Slow(mpsc::Receiver<()>);
    impl Backend for Slow {
        fn get(&mut self, _name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
            self.0.recv().map_err(|_gone| "gone".to_owned())?;
            Ok(None)
        }
        fn set(&mut self, _name: &str, _label: &str, _secret: &[u8]) -> Result<(), String> {
            panic!("a fault")
        }
        fn remove(&mut self, _name: &str) -> Result<bool, String> {
            Err("it says no".to_owned())
        }
    }

    #[test]
    fn one_that_hangs_is_given_up_and_not_asked_again_until_it_answers() {
        let (release, waits) = mpsc::channel();
        let waits = Mutex::new(Some(waits));
        let limits = KeychainLimits { connect: Duration::from_millis(50), answer: Duration::from_millis(50) };
        let keychain = Keychain::new(limits, move || {
            let waits = waits.lock().unwrap().take().ok_or("only once")?;
            Ok(Box::new(Slow(waits)))
        });
        assert!(keychain.get(ITEM).unwrap_err().to_string().contains("did not answer"));
        let begun = std::time::Instant::now();
        assert!(keychain.check().unwrap_err().to_string().contains("earlier question"));
        assert!(begun.elapsed() < Duration::from_millis(40));
        release.send(()).unwrap();
        while keychain.check().is_err() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn errors_and_panics_of_it_are_errors_here_and_it_is_connected_anew() {
        let keychain = Keychain::new(KeychainLimits::default(), || Ok(Box::new(Slow(mpsc::channel().1))));
        assert!(keychain.get(ITEM).unwrap_err().to_string().contains("gone"));
        let secret = SecretText::new("abc".to_owned());
        assert!(keychain.set(ITEM, &secret).unwrap_err().to_string().contains("fault"));
        keychain.check().unwrap();
        let none = Keychain::new(KeychainLimits::default(), || Err("there is none".to_owned()));
        assert!(none.check().unwrap_err().to_string().contains("there is none"));
    }
}
