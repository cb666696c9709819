//! Secrets that a person types: from the terminal without showing them, or from a pipe; never from arguments, which every
//! process of this computer can read.

use std::io::{self, Read};

use rspa_core::model::SecretText;
use zeroize::Zeroizing;

use super::failure::Failure;

/// No secret is longer, in bytes.
const LONGEST: usize = 16 << 10;

/// Where secrets come from.
pub enum Source {
    Terminal,
    /// The lines of standard input, one secret each, in the order in which they are asked for.
    Lines(std::collections::VecDeque<SecretText>),
}

impl Source {
    /// `stdin` reads standard input to its end now.
    pub fn new(stdin: bool) -> Result<Self, Failure> {
        if !stdin {
            return Ok(Self::Terminal);
        }
        // Larger than the buffer of standard input, so that nothing stays behind in that.
        let mut bytes = Zeroizing::new(vec![0; 4 * LONGEST]);
        let mut input = io::stdin().lock();
        let mut filled = 0;
        while filled < bytes.len() {
            match input.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if bytes.len() - filled < LONGEST {
                return Err(too_long());
            }
        }
        let lines = bytes[..filled].split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let lines = lines.filter(|line| !line.is_empty()).map(secret).collect::<Result<_, _>>()?;
        Ok(Self::Lines(lines))
    }

    /// The next secret; `question` is shown at a terminal.
    pub fn next(&mut self, question: &str) -> Result<SecretText, Failure> {
        match self {
            Self::Terminal => terminal::ask(question),
            Self::Lines(lines) => lines.pop_front().ok_or_else(|| {
                Failure::validation(
                    format!("standard input has no line for: {question}"),
                    "Give one line for each secret, the passphrase of a locked vault first.",
                )
            }),
        }
    }

    /// As [`Source::next`], typed twice at a terminal, where nobody sees what is typed.
    pub fn next_new(&mut self, question: &str) -> Result<SecretText, Failure> {
        let first = self.next(question)?;
        if matches!(self, Self::Terminal) && self.next(&format!("{question} (again)"))? != first {
            return Err(Failure::validation("the two are not the same", "Type it again."));
        }
        Ok(first)
    }
}

fn secret(line: &[u8]) -> Result<SecretText, Failure> {
    if line.len() > LONGEST {
        return Err(too_long());
    }
    SecretText::from_bytes(Zeroizing::new(line.to_vec()))
        .ok_or_else(|| Failure::validation("the secret is not UTF-8 text", "Copy it again from the service."))
}

fn too_long() -> Failure {
    Failure::validation(format!("a secret has at most {LONGEST} bytes"), "Copy it again from the service.")
}

#[cfg(unix)]
mod terminal {
    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::mem::MaybeUninit;
    use std::os::fd::AsRawFd;

    use rspa_core::model::SecretText;
    use zeroize::Zeroizing;

    use super::{LONGEST, secret, too_long};
    use crate::cli::failure::Failure;

    /// Puts the terminal back as it was.
    struct Quiet {
        terminal: File,
        before: libc::termios,
    }

    impl Quiet {
        fn new(terminal: File) -> io::Result<Self> {
            let mut settings = MaybeUninit::<libc::termios>::uninit();
            // SAFETY: the file is open, and `settings` has room for the one struct that the call fills.
            if unsafe { libc::tcgetattr(terminal.as_raw_fd(), settings.as_mut_ptr()) } != 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the call succeeded, so the struct is filled.
            let before = unsafe { settings.assume_init() };
            let mut silent = before;
            silent.c_lflag &= !libc::ECHO;
            silent.c_lflag |= libc::ECHONL | libc::ICANON;
            // SAFETY: the file is open, and `silent` is a whole struct.
            if unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSAFLUSH, &raw const silent) } != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Self { terminal, before })
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            // SAFETY: the file is open, and `before` is a whole struct.
            unsafe { libc::tcsetattr(self.terminal.as_raw_fd(), libc::TCSAFLUSH, &raw const self.before) };
        }
    }

    pub(super) fn ask(question: &str) -> Result<SecretText, Failure> {
        let nobody = |_no_terminal| {
            Failure::validation(
                "there is no terminal to type a secret at",
                "Run it at a terminal, or give the secret on standard input with --stdin.",
            )
        };
        let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(nobody)?;
        // Before the question: who answers it at once is neither shown nor lost.
        let mut quiet = Quiet::new(terminal).map_err(nobody)?;
        write!(quiet.terminal, "{question}: ")?;
        // Read straight from the file: no other buffer sees it.
        let mut line = Zeroizing::new(vec![0; LONGEST + 2]);
        let count = quiet.terminal.read(&mut line)?;
        let typed = &line[..count];
        let Some(typed) = typed.strip_suffix(b"\n") else { return Err(too_long()) };
        secret(typed)
    }
}

#[cfg(not(unix))]
mod terminal {
    use rspa_core::model::SecretText;

    use crate::cli::failure::Failure;

    pub(super) fn ask(_question: &str) -> Result<SecretText, Failure> {
        Err(Failure::validation(
            "secrets cannot be typed at the terminal of this system yet",
            "Use the Credentials page, or give the secret on standard input with --stdin.",
        ))
    }
}
