//! What the person can do on the page "Credentials".

#[derive(Clone, Debug, PartialEq)]
pub enum CredentialsCommand {
    /// Reads it all again.
    Refresh,
}
